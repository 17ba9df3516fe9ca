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
class SettingsList {
public:
    void set(std::string_view name, std::string_view value) {
        (out_ << separator_ << "set_config(").parameter(std::string(name)) << ", ";
        out_.parameter(std::string(value)) << ", true)";
        separator_ = ", ";
    }
    void add_to(Script& script) && {
        if (separator_ == ", ") script.statements.push_back(out_.take());
    }

private:
    Writer out_;
    std::string_view separator_ = "SELECT ";
};

// Before anything that reads. The level is a word of the catalog's, and no other word passes.
void set_isolation(Script& script, const std::string& level) {
    const bool higher = level == "serializable" || level == "repeatable read";
    Writer out;
    out << "SET TRANSACTION ISOLATION LEVEL " << (higher ? std::string_view(level) : "read committed");
    script.statements.push_back(out.take());
    script.in_block = true;
}

// pg_current_snapshot() of a standby names no transaction in progress: all from xmin on count as not visible. What else is
// there tells whose past it shows; who may not see received_tli learns of another timeline with the next restartpoint.
constexpr std::string_view standby_row =
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_snapshot_xmin(pg_current_snapshot())::text END, s.system_identifier::text, "
    "greatest(r.min_recovery_end_timeline, w.received_tli)::text FROM pg_control_system() AS s, pg_control_recovery() AS r, "
    "pg_stat_get_wal_receiver() AS w";

void add_snapshot(Script& script, bool on_standby) {
    Writer out;
    out << (on_standby ? standby_row : "SELECT pg_current_snapshot()");
    script.snapshot = script.statements.size();
    script.on_standby = on_standby;
    script.statements.push_back(out.take());
}

void add_first(Script& script, const std::vector<Statement>& first) {
    if (first.empty()) return;
    script.statements.insert(script.statements.end(), first.begin(), first.end());
    script.claim = script.statements.size() - 1;
}

void begin(Script& script, const Session& session, bool on_standby = false) {
    if (!session.isolation.empty()) set_isolation(script, session.isolation);
    if (on_standby) add_snapshot(script, true);
    add_first(script, session.first);
    SettingsList list;
    for (const auto& [name, value] : session.before_role) list.set(name, value);
    if (!session.role.empty()) list.set("role", session.role);
    for (const auto& [name, value] : session.settings) list.set(name, value);
    if (session.reads_only) list.set("transaction_read_only", "on");
    std::move(list).add_to(script);
    if (!session.pre_request) return;
    Writer call;
    call << "SELECT ";
    if (!session.pre_request->schema.empty()) call.identifier(session.pre_request->schema) << '.';
    call.identifier(session.pre_request->name) << "()";
    script.statements.push_back(call.take());
}

// Nothing to invalidate when the write changed nothing: then there is no xid, and none is used up. Where triggers, functions or
// the function before the request ran, they may have said how to answer.
void add_outcome(Script& script) {
    Writer outcome;
    outcome << "SELECT pg_current_xact_id_if_assigned()::text, nullif(current_setting('response.headers', true), ''), "
               "nullif(current_setting('response.status', true), ''), "
               "nullif(current_setting('millrace.invalidated', true), '')";
    if (script.counts_inserted) outcome << ", " << inserted_count;
    script.outcome = script.statements.size();
    script.statements.push_back(outcome.take());
}

void end(Script& script, const Session& session) {
    if (!script.outcome && (script.writes || session.reports)) add_outcome(script);
    script.rolls_back = session.rolls_back;
    if (!session.rolls_back) return;
    Writer constraints;  // what COMMIT would have found
    constraints << "SET CONSTRAINTS ALL IMMEDIATE";
    script.statements.push_back(constraints.take());
}

void add_main(Script& script, Writer& out) {
    script.main = script.statements.size();
    script.statements.push_back(out.take());
}

// A count comes first: the head of an answer says it, and may be sent before the last row is there. An estimate is exact up to
// as many rows as an answer may have, and Postgres' guess beyond.
void add_counts(Script& script, const plan::ReadNode& root, request::CountKind count, std::int64_t count_max) {
    if (count == request::CountKind::none) return;
    const bool estimated = count == request::CountKind::estimated && count_max > 0;
    if (count != request::CountKind::planned) {
        Writer total;
        append_count(total, root, estimated ? count_max + 1 : 0);
        script.count = script.statements.size();
        script.statements.push_back(total.take());
    }
    if (count != request::CountKind::planned && !estimated) return;
    script.count_max = estimated ? count_max : 0;
    Writer guess;
    append_count_plan(guess, root);
    script.planned = script.statements.size();
    script.statements.push_back(guess.take());
}

// Which relation a plan tells of by its own name rather than by an alias.
void name_root(Writer& out, const routes::Resource& resource, const Form& form) {
    if (form.explain) out.call(root_alias, resource.relation->name);
}

std::string_view total_of(const plan::Read& read) {
    if (read.count == request::CountKind::none || read.count == request::CountKind::planned) return "NULL::bigint";
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

void add(Script& script, const plan::Read& read, const RenderOptions& options) {
    const Form& form = options.form;
    const bool want_snapshot = options.want_snapshot && !options.on_standby;
    if (!form.explain) add_counts(script, read.root, read.count, options.count_max);
    Writer out;
    const bool one_row = read.by_full_key && read.root.window.limit != 0 && read.root.window.offset == 0;
    name_root(out, *read.root.resource, form);
    open_explain(out, form);
    append_rows_or_body(out, read, {.source = {}, .want_snapshot = want_snapshot, .one_row = one_row, .output = form.output},
                        form, script.cells);
    add_main(script, out);
    script.has_snapshot = want_snapshot;
}

void add(Script& script, const plan::Call& call, const RenderOptions& options) {
    if (options.want_snapshot && !options.on_standby) add_snapshot(script, false);
    Writer out;
    name_root(out, *call.rows.resource, options.form);
    open_explain(out, options.form);
    script.has_total = append_call(out, call, options.form, script.cells);
    add_main(script, out);
    script.writes = !call.read_only;
}

template <class Write>
void add(Script& script, const Write& write, const RenderOptions& options) {
    const Form& form = options.form;
    Writer out;
    name_root(out, *write.resource, form);
    open_explain(out, form);
    append_write(out, write, form, script.cells);
    add_main(script, out);
    if constexpr (std::is_same_v<Write, plan::Insert>) script.counts_inserted = counts_inserted(write);
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

Script render(const plan::Plan& plan, const Session& session, const RenderOptions& options) {
    Script script;
    script.statements.reserve(4);
    begin(script, session, options.on_standby);
    if (session.reports_early) add_outcome(script);
    std::visit([&](const auto& what) { add(script, what, options); }, plan);
    settle_answer(script, plan, options.form);
    end(script, session);
    return script;
}

Script render(Statement statement, const Session& session) {
    Script script;
    begin(script, session);
    script.main = script.statements.size();
    script.statements.push_back(std::move(statement));
    end(script, session);
    return script;
}

}  // namespace millrace::sql
