// Turns a plan into the statements that go to Postgres as one implicit transaction.
#include "millrace/core/sql.hpp"

#include <type_traits>

#include "body.hpp"
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
Statement xid_statement(bool counts_inserted) {
    Writer out;
    out << "SELECT ";
    if (counts_inserted) out << inserted_count << ", ";
    out << "pg_current_xact_id_if_assigned()::text";
    return out.take();
}

void add_main(Script& script, Writer& out) {
    script.main = script.statements.size();
    script.statements.push_back(out.take());
}

// Which relation a plan tells of by its own name rather than by an alias.
void name_root(Writer& out, const routes::Resource& resource, const Form& form) {
    if (form.explain) out.call(root_alias, resource.relation->name);
}

std::string_view total_of(const plan::Read& read) {
    if (read.count == request::CountKind::none) return "NULL::bigint";
    return read.root.window.limit || read.root.window.offset > 0 ? std::string_view() : "count(*)";
}

void append_rows_or_body(Writer& out, const plan::Read& read, const ReadOptions& options, const Form& form,
                         std::vector<OutputCell>& cells) {
    if (form.output != Output::body) return append_read(out, read.root, options, cells);
    open_body(out, form, {.total = total_of(read), .counted = &read.root, .snapshot = options.want_snapshot});
    ReadOptions inner = options;
    inner.want_snapshot = false;
    append_read(out, read.root, inner, cells);
    close_body(out);
}

void add(Script& script, const plan::Read& read, bool want_snapshot, const Form& form) {
    Writer out;
    const bool one_row = read.by_full_key && read.root.window.limit != 0 && read.root.window.offset == 0;
    name_root(out, *read.root.resource, form);
    open_explain(out, form);
    append_rows_or_body(out, read, {.source = {}, .want_snapshot = want_snapshot, .one_row = one_row, .output = form.output},
                        form, script.cells);
    add_main(script, out);
    script.has_snapshot = want_snapshot;
    if (read.count == request::CountKind::none || form.explain) return;  // an exact total serves who wanted an estimate
    Writer total;
    append_count(total, read.root);
    script.count = script.statements.size();
    script.statements.push_back(total.take());
}

void add(Script& script, const plan::Call& call, bool, const Form& form) {
    Writer out;
    name_root(out, *call.rows.resource, form);
    open_explain(out, form);
    script.has_total = append_call(out, call, form, script.cells);
    add_main(script, out);
    if (call.read_only) return;
    script.statements.push_back(xid_statement(false));
    script.has_xid = true;
    script.writes = true;
}

template <class Write>
void add(Script& script, const Write& write, bool, const Form& form) {
    Writer out;
    name_root(out, *write.resource, form);
    open_explain(out, form);
    append_write(out, write, form, script.cells);
    add_main(script, out);
    if constexpr (std::is_same_v<Write, plan::Insert>) script.counts_inserted = counts_inserted(write);
    script.statements.push_back(xid_statement(script.counts_inserted));
    script.has_xid = true;
    script.writes = true;
    if constexpr (std::is_same_v<Write, plan::Insert>) script.expects_one = !write.matching.empty() && !form.explain;
}

// What a reader of the rows must know; a write that returns nothing has no body either.
void settle_answer(Script& script, const plan::Plan& plan, const Form& form) {
    const bool returns = std::visit(
        [](const auto& what) {
            if constexpr (requires { what.returning; }) return what.returning.has_value();
            return true;
        },
        plan);
    if (form.explain) {
        script.answer = Answer::plan;
    } else if (form.output == Output::body && returns) {
        script.answer = Answer::body;
        script.binary = form.body.binary;
    }
    if (script.answer != Answer::rows) script.cells.clear();
}

}  // namespace

Script render(const plan::Plan& plan, const Session& session, bool want_snapshot, const Form& form) {
    Script script;
    script.statements.reserve(3);
    add_session(script, session);
    std::visit([&](const auto& what) { add(script, what, want_snapshot, form); }, plan);
    settle_answer(script, plan, form);
    return script;
}

}  // namespace millrace::sql
