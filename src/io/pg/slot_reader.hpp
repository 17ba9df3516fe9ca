// What a SlotReader keeps while it lives.
#pragma once

#include <deque>
#include <string>

#include "asker.hpp"
#include "connection.hpp"
#include "millrace/io/pg.hpp"
#include "slot.hpp"

namespace millrace::pg {

struct SlotReader::State {
    State(asio::io_context& io, SlotSettings how);

    asio::awaitable<Result<SlotStart>> open();
    asio::awaitable<Result<feed::Life>> identify();
    asio::awaitable<Result<void>> find_slot();
    asio::awaitable<Result<void>> start();
    asio::awaitable<void> evict();

    asio::awaitable<Result<Decoded>> next();
    asio::awaitable<Result<bool>> take_frames(Decoded& out);
    asio::awaitable<Result<void>> take_message(std::string_view bytes, Decoded& out);
    asio::awaitable<Result<void>> learn(replication::Relation relation);
    void take_beat(const replication::Emitted& emitted, Decoded& out);
    asio::awaitable<Result<void>> confirm(replication::Lsn position);

    asio::awaitable<std::string> beat();
    asio::awaitable<std::string> beat_once();

    struct Underway {
        std::string content;
        fence::PgSnapshot snapshot;
        TimePoint started;
    };

    asio::io_context& context;
    const SlotSettings settings;
    Connection stream;
    Asker asker;
    replication::Assembler assembler;
    replication::Lsn confirmed = 0;
    fence::PgSnapshot newest;
    std::deque<Underway> underway;  // beats that have not come out yet, oldest first
    std::string secret;             // in our beats: whoever else writes such a message proves nothing
    std::uint64_t beats = 0, lag_bytes = 0;
    TimePoint heard;  // the last frame
};

}  // namespace millrace::pg
