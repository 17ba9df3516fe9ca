// Turns a plan into the statements that go to Postgres as one implicit transaction.
#include "millrace/core/sql.hpp"

#include <type_traits>

#include "read.hpp"
#include "write.hpp"
#include "writer.hpp"

namespace millrace::sql {
namespace {

// Names are parameters too, so that the statement differs by their number alone.
Statement session_statement(const Session& session) {
    Writer out;
    std::string_view separator = "SELECT ";
    if (!session.role.empty()) {
        (out << separator << "set_config('role', ").parameter(session.role) << ", true)";
        separator = ", ";
    }
    for (const auto& [name, value] : session.settings) {
        (out << separator << "set_config(").parameter(name) << ", ";
        out.parameter(value) << ", true)";
        separator = ", ";
    }
    return out.take();
}

// Nothing to invalidate when the write changed nothing: then there is no xid, and none is used up.
Statement xid_statement() {
    Writer out;
    out << "SELECT pg_current_xact_id_if_assigned()::text";
    return out.take();
}

void add_main(Script& script, Writer& out) {
    script.main = script.statements.size();
    script.statements.push_back(out.take());
}

// An exact total serves who would have been content with an estimate. It comes first: the head of an answer says it, and may
// be sent before the last row is there.
void add_count(Script& script, const plan::Read& read) {
    Writer total;
    append_count(total, read.root);
    script.count = script.statements.size();
    script.statements.push_back(total.take());
}

void add(Script& script, const plan::Read& read, bool want_snapshot) {
    if (read.count != request::CountKind::none) add_count(script, read);
    Writer out;
    const bool one_row = read.by_full_key && read.root.window.limit != 0 && read.root.window.offset == 0;
    append_read(out, read.root, {.source = {}, .want_snapshot = want_snapshot, .one_row = one_row}, script.cells);
    add_main(script, out);
    script.has_snapshot = want_snapshot;
}

template <class Write>
void add(Script& script, const Write& write, bool) {
    Writer out;
    append_write(out, write, script.cells);
    add_main(script, out);
    script.statements.push_back(xid_statement());
    script.has_xid = true;
    script.writes = true;
    if constexpr (std::is_same_v<Write, plan::Insert>) script.expects_one = !write.matching.empty();
}

}  // namespace

Script render(const plan::Plan& plan, const Session& session, bool want_snapshot) {
    Script script;
    script.statements.reserve(3);
    if (!session.empty()) script.statements.push_back(session_statement(session));
    std::visit([&](const auto& what) { add(script, what, want_snapshot); }, plan);
    return script;
}

}  // namespace millrace::sql
