// One command that somebody waits for.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>

#include "millrace/core/base.hpp"
#include "millrace/io/redis.hpp"

namespace millrace::redis {

using Waiter = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;  // the coroutine that waits, as a handler

struct Call {
    Deadline deadline;
    std::optional<Result<Value>> answer;
    std::optional<Waiter> waiter;
};
using CallPointer = std::shared_ptr<Call>;

// Only the first answer counts. The waiter goes on in a later turn of its loop, so the one who answers need not expect it.
void answer(Call& call, Result<Value> result);

// Ends when the call is answered; a cancelled waiter answers it itself.
[[nodiscard]] asio::awaitable<void> until_answered(CallPointer call);

[[nodiscard]] Error redis_down();

}  // namespace millrace::redis
