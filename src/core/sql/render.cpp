// Turns a plan into the statements that go to Postgres as one implicit transaction.
#include "millrace/core/sql.hpp"

#include <type_traits>

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

void begin(Script& script, const Session& session) {
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
               "nullif(current_setting('response.status', true), '')";
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

void add(Script& script, const plan::Read& read, const RenderOptions& options) {
    add_counts(script, read.root, read.count, options.count_max);
    Writer out;
    const bool one_row = read.by_full_key && read.root.window.limit != 0 && read.root.window.offset == 0;
    append_read(out, read.root, {.source = {}, .want_snapshot = options.want_snapshot, .one_row = one_row}, script.cells);
    add_main(script, out);
    script.has_snapshot = options.want_snapshot;
}

template <class Write>
void add(Script& script, const Write& write, const RenderOptions&) {
    Writer out;
    append_write(out, write, script.cells);
    add_main(script, out);
    if constexpr (std::is_same_v<Write, plan::Insert>) script.counts_inserted = counts_inserted(write);
    script.writes = true;
    if constexpr (std::is_same_v<Write, plan::Insert>) script.expects_one = !write.matching.empty();
}

}  // namespace

Script render(const plan::Plan& plan, const Session& session, const RenderOptions& options) {
    Script script;
    script.statements.reserve(4);
    begin(script, session);
    if (session.reports_early) add_outcome(script);
    std::visit([&](const auto& what) { add(script, what, options); }, plan);
    end(script, session);
    return script;
}

}  // namespace millrace::sql
