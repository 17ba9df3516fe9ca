// Reads what comes out of a replication slot: frames, messages, transactions.
#include "slot_reader.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "lineage.hpp"

namespace millrace::pg {
namespace {

constexpr int frames_per_turn_max = 512;         // then whoever else waits for this loop has a turn
constexpr std::size_t transactions_max = 1'000;  // in one answer

struct FreeCopy {
    void operator()(char* bytes) const { PQfreemem(bytes); }
};

Error broken(std::string what) { return Error::of(Fault::database_unavailable).with_details(std::move(what)); }

}  // namespace

asio::awaitable<Result<Decoded>> SlotReader::State::next() {
    Decoded out;
    while (true) {
        const auto any = co_await take_frames(out);
        if (!any) co_return any.error();
        if (*any) break;
        auto token = asio::as_tuple(asio::use_awaitable);
        const auto [failed] = co_await stream.socket().async_wait(asio::posix::stream_descriptor::wait_read, token);
        if (failed) co_return broken(failed.message());
        if (PQconsumeInput(stream.get()) == 0) co_return broken(stream.error());
    }
    out.newest = newest;
    out.lag_bytes = lag_bytes;
    co_return out;
}

// Whether something came that is worth telling.
asio::awaitable<Result<bool>> SlotReader::State::take_frames(Decoded& out) {
    for (int frames = 1; out.transactions.size() < transactions_max; ++frames) {
        char* raw = nullptr;
        const int size = PQgetCopyData(stream.get(), &raw, 1);
        const std::unique_ptr<char, FreeCopy> bytes(raw);
        if (size == 0) break;
        if (size < 0) co_return broken(size == -1 ? "Postgres ended the stream" : stream.error());
        heard = net::now();
        const auto frame = replication::read_frame({bytes.get(), static_cast<std::size_t>(size)});
        if (!frame) co_return broken("a frame of the stream could not be read");
        Result<void> taken;
        if (const auto* data = std::get_if<replication::LogData>(&*frame)) {
            taken = co_await take_message(data->message, out);
        } else if (std::get<replication::Keepalive>(*frame).wants_reply) {
            taken = co_await confirm(confirmed);
        }
        if (!taken) co_return std::move(taken).error();
        if (frames % frames_per_turn_max == 0) co_await asio::post(context, asio::use_awaitable);
    }
    co_return out.position != 0;
}

asio::awaitable<Result<void>> SlotReader::State::take_message(std::string_view bytes, Decoded& out) {
    auto message = replication::read_message(bytes);
    if (!message) co_return broken("a message of the stream could not be read");
    if (auto* relation = std::get_if<replication::Relation>(&*message)) co_return co_await learn(std::move(*relation));
    if (const auto* emitted = std::get_if<replication::Emitted>(&*message)) take_beat(*emitted, out);
    if (!assembler.take(*message)) co_return broken("the stream does not follow from itself");
    auto ended = assembler.finished();
    if (!ended) co_return Result<void>();
    out.position = ended->end;
    const fence::Xid xid = replication::whole_xid(ended->xid, newest.xmax);
    if (!ended->words.empty()) out.transactions.emplace_back(*std::move(ended), xid);
    co_return Result<void>();
}

asio::awaitable<Result<void>> SlotReader::State::learn(replication::Relation relation) {
    const auto row = co_await asker.ask(lineage_sql(relation.oid));
    if (!row) co_return row.error();
    auto lineage = row->empty() ? std::nullopt : read_lineage(row->front());
    if (!lineage) co_return broken("what a table descends from could not be read");
    if (!assembler.learn(relation, *std::move(lineage))) co_return broken("too many tables");
    co_return Result<void>();
}

// Beats before it that have not come out never will: what they would have proved, this one does.
void SlotReader::State::take_beat(const replication::Emitted& emitted, Decoded& out) {
    if (emitted.prefix != publication_name) return;
    const auto found = std::ranges::find(underway, emitted.content, &Underway::content);
    if (found == underway.end()) return;
    out.beat.emplace(found->snapshot, net::now() - found->started);
    underway.erase(underway.begin(), found + 1);
}

asio::awaitable<Result<void>> SlotReader::State::confirm(replication::Lsn position) {
    confirmed = std::max(confirmed, position);
    const std::string update = replication::status_update(confirmed);
    if (PQputCopyData(stream.get(), update.data(), static_cast<int>(update.size())) != 1) co_return broken(stream.error());
    co_return co_await stream.flush();
}

SlotReader::SlotReader(asio::io_context& context, SlotSettings settings)
    : state_(std::make_shared<State>(context, std::move(settings))) {}

SlotReader::~SlotReader() = default;

// Each holds the state while it runs, so that the reader may go before its coroutines do.
asio::awaitable<Result<SlotStart>> SlotReader::open() {
    const auto state = state_;
    co_return co_await state->open();
}

asio::awaitable<Result<Decoded>> SlotReader::next() {
    const auto state = state_;
    co_return co_await state->next();
}

asio::awaitable<std::string> SlotReader::beat() {
    const auto state = state_;
    co_return co_await state->beat();
}

asio::awaitable<Result<void>> SlotReader::confirm(replication::Lsn position) {
    const auto state = state_;
    co_return co_await state->confirm(position);
}

}  // namespace millrace::pg
