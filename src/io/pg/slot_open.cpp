// Gets hold of a replication slot, and sends beats through it.
#include <algorithm>
#include <charconv>
#include <random>

#include "millrace/core/text.hpp"
#include "slot_reader.hpp"

namespace millrace::pg {
namespace {

using namespace std::chrono_literals;

constexpr Duration connect_timeout = 5s;
constexpr Duration silence_max = 10s;  // of a stream that owes a beat
constexpr std::size_t underway_max = 600;

// A beat's commit must be flushed at once, and must not wait for a standby.
constexpr const char* asker_setup = "set search_path = pg_catalog; set synchronous_commit = local";

Error refusal(std::string what) { return Error::of(Fault::database_unavailable).with_details(std::move(what)); }

template <class Number>
Number number_of(const std::string& digits) {
    Number value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::string a_secret() {
    std::random_device random;
    std::string secret;
    for (int i = 0; i < 4; ++i) secret += std::to_string(random()) + '.';
    return secret;
}

}  // namespace

SlotReader::State::State(asio::io_context& io, SlotSettings how)
    : context(io), settings(std::move(how)), stream(io, Connection::Use::replication), asker(io), secret(a_secret()) {}

// Where the slot stands, and the first snapshot, count only once nobody else can confirm it any further: what commits before
// the one must be seen by the other.
asio::awaitable<Result<SlotStart>> SlotReader::State::open() {
    const auto asking = co_await asker.open(settings.url, asker_setup);
    if (!asking) co_return asking.error();
    const auto found = co_await find_slot();
    if (!found) co_return found.error();
    const auto streaming = co_await stream.open(settings.url, "set search_path = pg_catalog", connect_timeout);
    if (!streaming) co_return streaming.error();
    const auto life = co_await identify();
    if (!life) co_return life.error();
    const auto started = co_await start();
    if (!started) co_return started.error();
    const auto held = co_await inspect_slot(asker, settings.slot);
    if (!held) co_return held.error();
    confirmed = held->confirmed;
    heard = net::now();
    const auto first = co_await beat_once();
    if (!first.empty()) co_return refusal(first);
    co_return SlotStart{*life, confirmed};
}

asio::awaitable<Result<void>> SlotReader::State::find_slot() {
    const auto state = co_await inspect_slot(asker, settings.slot);
    if (!state) co_return state.error();
    if (state->health == SlotHealth::usable) co_return Result<void>();
    co_return co_await make_slot(context, settings.url, settings.slot);
}

asio::awaitable<Result<feed::Life>> SlotReader::State::identify() {
    const auto answer = co_await stream.query("IDENTIFY_SYSTEM");
    if (!answer) co_return answer.error();
    if (!*answer || PQntuples(answer->get()) != 1) co_return refusal("Postgres does not say which cluster it is");
    feed::Life life;
    life.system_identifier = number_of<std::uint64_t>(PQgetvalue(answer->get(), 0, 0));
    life.timeline = number_of<std::uint32_t>(PQgetvalue(answer->get(), 0, 1));
    co_return life;
}

asio::awaitable<Result<void>> SlotReader::State::start() {
    const std::string sql = "START_REPLICATION SLOT " + text::quote_identifier(settings.slot) +
                            " LOGICAL 0/0 (proto_version '1', publication_names '" + std::string(publication_name) +
                            "', messages 'true')";
    const auto answer = co_await stream.query(sql);
    if (answer && *answer && PQresultStatus(answer->get()) == PGRES_COPY_BOTH) co_return Result<void>();
    if (answer) co_return refusal("Postgres does not stream");
    constexpr std::string_view object_in_use = "55006";
    if (settings.may_evict && answer.error().code == object_in_use) co_await evict();
    co_return answer.error();
}

// Whoever reads the slot although it is not their turn: perhaps stopped, perhaps on a machine that is gone. A replica may end
// backends of its own role.
asio::awaitable<void> SlotReader::State::evict() {
    const std::string sql = "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = " +
                            text::quote_literal(settings.slot) + " and active_pid is not null";
    const auto ended = co_await asker.ask(sql);
    static_cast<void>(ended);  // the next attempt shows whether it helped
}

asio::awaitable<std::string> SlotReader::State::beat() {
    while (true) {
        const auto failed = co_await beat_once();
        if (!failed.empty()) co_return failed;
        const bool slept = co_await net::sleep_for(settings.beat);
        if (!slept) co_return "stopped";
        if (!underway.empty() && net::now() - std::max(heard, underway.front().started) > silence_max)
            co_return "the stream of the slot is silent";
    }
}

// The snapshot first, and the message in a transaction after it.
asio::awaitable<std::string> SlotReader::State::beat_once() {
    const TimePoint started = net::now();
    const std::string sql =
        "select pg_current_snapshot(), (select greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint "
        "from pg_replication_slots where slot_name = " +
        text::quote_literal(settings.slot) + ")";
    const auto row = co_await asker.ask(sql);
    if (!row) co_return row.error().details.value_or(row.error().message);
    auto snapshot = row->empty() ? std::nullopt : fence::PgSnapshot::parse(row->front());
    if (!snapshot) co_return "the snapshot could not be read";
    newest = *snapshot;
    lag_bytes = number_of<std::uint64_t>(row->at(1));
    std::string content = secret + std::to_string(++beats);
    const std::string emit = "select pg_logical_emit_message(true, '" + std::string(publication_name) + "', '" + content + "')";
    if (underway.size() == underway_max) underway.pop_back();
    underway.push_back({std::move(content), *std::move(snapshot), started});
    const auto emitted = co_await asker.ask(emit);
    if (!emitted) co_return emitted.error().details.value_or(emitted.error().message);
    co_return "";
}

}  // namespace millrace::pg
