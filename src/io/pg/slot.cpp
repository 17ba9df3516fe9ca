// Looks at a replication slot and makes one.
#include "slot.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

constexpr Duration underway_max = 60s;  // for transactions that are underway; whoever wants the slot tries again
constexpr Duration pause = 100ms;

Error refusal(std::string what) { return Error::of(Fault::database_unavailable).with_details(std::move(what)); }

asio::awaitable<Result<void>> wait_until_seen(Asker& asker, std::string xid) {
    const std::string sql = "select pg_snapshot_xmin(pg_current_snapshot()) > " + text::quote_literal(xid) + "::xid8";
    const Deadline deadline{net::now() + underway_max};
    while (!deadline.passed(net::now())) {
        const auto seen = co_await asker.ask(sql);
        if (!seen) co_return seen.error();
        if (!seen->empty() && seen->front() == "t") co_return Result<void>();
        co_await net::sleep_for(pause);
    }
    co_return refusal("the slot cannot be made while transactions stay open that began before it");
}

}  // namespace

asio::awaitable<Result<SlotState>> inspect_slot(Asker& asker, std::string slot) {
    const std::string sql =
        "select plugin = 'pgoutput' and database = current_database() and not temporary, wal_status, confirmed_flush_lsn "
        "from pg_replication_slots where slot_name = " +
        text::quote_literal(slot);
    const auto row = co_await asker.ask(sql);
    if (!row) co_return row.error();
    SlotState state;
    if (row->empty()) co_return state;
    if (row->at(0) != "t") co_return refusal("the replication slot " + slot + " is of another database or for another use");
    const auto confirmed = replication::parse_lsn(row->at(2));
    state.health = row->at(1) == "lost" || !confirmed ? SlotHealth::lost : SlotHealth::usable;
    state.confirmed = confirmed.value_or(0);
    co_return state;
}

asio::awaitable<Result<void>> make_slot(asio::io_context& context, std::string url, std::string slot) {
    Asker asker(context);
    const auto opened = co_await asker.open(url, "set search_path = pg_catalog");
    if (!opened) co_return opened.error();
    const std::string name = text::quote_literal(slot), making = text::quote_literal(slot + "_new");
    const std::string drop =
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where active_pid is null and slot_name = " + name;
    const auto dropped = co_await asker.ask(drop);
    if (!dropped) co_return dropped.error();
    const std::string create = "select pg_create_logical_replication_slot(" + making + ", 'pgoutput', true)";
    const auto created = co_await asker.ask(create, underway_max);
    if (!created) co_return created.error();
    const auto xid = co_await asker.ask("select pg_current_xact_id()");
    if (!xid) co_return xid.error();
    const auto seen = co_await wait_until_seen(asker, xid->front());
    if (!seen) co_return seen.error();
    const std::string keep = "select pg_copy_logical_replication_slot(" + making + ", " + name + ", false)";
    const auto kept = co_await asker.ask(keep);
    if (!kept) co_return kept.error();
    co_return Result<void>();
}

namespace {

asio::awaitable<Result<void>> make_unless_there(asio::io_context& context, std::string url, std::string slot) {
    Asker asker(context);
    const auto opened = co_await asker.open(url, "set search_path = pg_catalog");
    if (!opened) co_return opened.error();
    const auto state = co_await inspect_slot(asker, slot);
    if (!state) co_return state.error();
    if (state->health == SlotHealth::usable) co_return Result<void>();
    co_return co_await make_slot(context, std::move(url), std::move(slot));
}

}  // namespace

Result<void> ensure_slot(const std::string& url, const std::string& slot) {
    asio::io_context context(1);
    auto done = asio::co_spawn(context, make_unless_there(context, url, slot), asio::use_future);
    context.run();
    return done.get();
}

Result<void> drop_slot(const std::string& url, const std::string& slot) {
    return execute(url, "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = " +
                            text::quote_literal(slot));
}

}  // namespace millrace::pg
