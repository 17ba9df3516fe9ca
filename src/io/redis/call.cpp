// Lets a coroutine wait for the answer to its command.
#include "call.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace millrace::redis {
namespace {

struct Keep {
    CallPointer call;

    void operator()(Waiter waiter) const {
        if (call->answer) {
            asio::post(std::move(waiter));
            return;
        }
        auto slot = asio::get_associated_cancellation_slot(waiter);
        if (slot.is_connected()) {
            auto cancelled = [weak = std::weak_ptr(call)](asio::cancellation_type) {
                if (const auto waiting = weak.lock()) answer(*waiting, Error::of(Fault::deadline_passed));
            };
            slot.assign(std::move(cancelled));
        }
        call->waiter.emplace(std::move(waiter));
    }
};

}  // namespace

void answer(Call& call, Result<Value> result) {
    if (call.answer) return;
    call.answer.emplace(std::move(result));
    if (!call.waiter) return;
    asio::get_associated_cancellation_slot(*call.waiter).clear();
    Waiter waiter = *std::exchange(call.waiter, std::nullopt);
    asio::post(std::move(waiter));
}

asio::awaitable<void> until_answered(CallPointer call) {
    Keep keep{std::move(call)};
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(keep), asio::use_awaitable);
}

Error redis_down() { return Error::of(Fault::internal, "Redis is not connected"); }

}  // namespace millrace::redis
