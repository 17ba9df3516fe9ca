// Statements that go before a script's own: they must have run when it does.
#include <iterator>

#include "read.hpp"

namespace millrace::sql {

Statement lock_rows(const plan::Read& read) {
    Writer out;
    append_lock(out, read.root);
    return out.take();
}

std::size_t put_before_main(Script& script, std::vector<Statement> statements) {
    const std::size_t at = script.main, added = statements.size();
    const auto move = [at, added](std::optional<std::size_t>& place) {
        if (place && *place >= at) *place += added;
    };
    move(script.count);
    move(script.planned);
    move(script.outcome);
    script.main += added;
    script.statements.insert(script.statements.begin() + static_cast<std::ptrdiff_t>(at),
                             std::make_move_iterator(statements.begin()), std::make_move_iterator(statements.end()));
    return at;
}

}  // namespace millrace::sql
