// One call of Pool::run on its way: waiting for a lane, underway on one, answered.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lane_rows.hpp"
#include "millrace/core/base.hpp"
#include "millrace/core/congestion.hpp"
#include "millrace/core/events.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pg {

namespace asio = boost::asio;

class Lane;

using Answer = Result<sql::Results>;
using Waiter = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;  // the coroutine that waits, as a handler

struct Request final : congestion::Waiting {
    // ending: COMMIT or ROLLBACK is underway; undoing: what was to be done before COMMIT failed, and ROLLBACK is underway.
    enum class Phase : std::uint8_t { running, ending, undoing };

    const sql::Script* script = nullptr;    // the caller's; not to be touched once there is an answer
    std::uint64_t shape = 0;                // of its main statement
    std::span<const std::string> values;    // the same
    const sql::Closing* closing = nullptr;  // the same
    events::LaneClass lane = events::LaneClass::fast;
    bool authenticated = false;
    bool writes = false;
    bool may_stream = false;         // whoever asked can take rows as they come
    bool streams = false;            // rows of the last statement are handed on as they come
    bool handed_on = false;          // some have been: it cannot be sent again
    std::size_t rows_bytes_max = 0;  // of rows that wait here; then nothing more is read from Postgres
    bool in_block = false;           // between BEGIN and COMMIT or ROLLBACK
    Deadline deadline;
    TimePoint sent, finished;
    std::uint64_t route = 0, route_max = 0;
    bool takes_of_route = false;  // counts among those of its route

    Lane* on = nullptr;  // where it is underway
    Phase phase = Phase::running;
    unsigned attempts = 0;
    TimePoint give_up = TimePoint::max();  // after its connection broke: until when to wait for another
    sql::Results results;
    std::size_t done = 0;              // statements that brought their results, in this attempt
    RowStore rows;                     // of a request that streams
    std::optional<Error> error;        // the first that Postgres reported in this attempt
    bool statement_is_gone = false;    // the error is about a prepared statement, not about the request
    bool server_is_read_only = false;  // the error is that of a write at a standby

    std::optional<Answer> answer;
    std::optional<Waiter> waiter;

    [[nodiscard]] bool answered() const { return answer.has_value(); }
    [[nodiscard]] bool full() const { return streams && !answered() && rows.bytes() >= rows_bytes_max; }
    [[nodiscard]] bool has_rows() const { return streams && (handed_on ? !rows.empty() : full()); }  // to be handed on
};
using RequestPointer = std::shared_ptr<Request>;

}  // namespace millrace::pg
