// Turns a plan into the statements that go to Postgres as one implicit transaction.
#include "millrace/core/sql.hpp"

#include <type_traits>

#include "call.hpp"
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
    // Last: it may be switched on at any time, unlike by SET TRANSACTION, and what follows cannot switch it off.
    if (session.read_only) out << separator << "set_config('transaction_read_only', 'on', true)";
    return out.take();
}

// Before anything that reads. The level is a word of the catalog's, and no other word passes.
Statement isolation_statement(const std::string& level) {
    Writer out;
    out << "SET TRANSACTION ISOLATION LEVEL ";
    if (level == "serializable" || level == "repeatable read") {
        out << level;
    } else {
        out << "read committed";
    }
    return out.take();
}

void add_session(Script& script, const Session& session) {
    if (!session.isolation.empty()) script.statements.push_back(isolation_statement(session.isolation));
    script.in_block = !session.isolation.empty();
    if (!session.role.empty() || !session.settings.empty() || session.read_only)
        script.statements.push_back(session_statement(session));
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

void add(Script& script, const plan::Read& read, bool want_snapshot) {
    Writer out;
    const bool one_row = read.by_full_key && read.root.window.limit != 0 && read.root.window.offset == 0;
    append_read(out, read.root, {.source = {}, .want_snapshot = want_snapshot, .one_row = one_row}, script.cells);
    add_main(script, out);
    script.has_snapshot = want_snapshot;
    if (read.count == request::CountKind::none) return;  // an exact total serves who would have been content with an estimate
    Writer total;
    append_count(total, read.root);
    script.count = script.statements.size();
    script.statements.push_back(total.take());
}

void add(Script& script, const plan::Call& call, bool) {
    Writer out;
    script.has_total = append_call(out, call, script.cells);
    add_main(script, out);
    if (call.read_only) return;
    script.statements.push_back(xid_statement());
    script.has_xid = true;
    script.writes = true;
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
    add_session(script, session);
    std::visit([&](const auto& what) { add(script, what, want_snapshot); }, plan);
    return script;
}

}  // namespace millrace::sql
