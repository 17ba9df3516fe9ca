// Coroutines in tests: run one to its end on a given io_context, and record the events it caused.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/core/events.hpp"

namespace support {

// Counts events by their type; keeps the last gauges and what fell.
class RecordingObserver : public millrace::events::Observer {
public:
    void on(const millrace::events::Event& event) override {
        ++counts_[event.index()];
        if (const auto* gauge = std::get_if<millrace::events::LaneGauge>(&event))
            gauges[static_cast<int>(gauge->lane)] = *gauge;
        if (const auto* up = std::get_if<millrace::events::BackendUp>(&event)) transitions.push_back(up->up);
        if (const auto* fall = std::get_if<millrace::events::Fallen>(&event)) fallen.emplace_back(fall->what);
    }

    template <class E>
    [[nodiscard]] std::size_t count() const {
        return counts_[millrace::events::Event(E{}).index()];
    }

    std::array<millrace::events::LaneGauge, 2> gauges{};
    std::vector<bool> transitions;  // of BackendUp
    std::vector<std::string> fallen;

private:
    std::array<std::size_t, std::variant_size_v<millrace::events::Event>> counts_{};
};

namespace internal {

template <class T>
struct Outcome {
    std::optional<T> value;
    std::exception_ptr thrown;
    bool done = false;
};

struct Nothing {};

template <class T>
boost::asio::awaitable<void> store(boost::asio::awaitable<T> task, std::shared_ptr<Outcome<T>> outcome) {
    auto value = co_await std::move(task);
    outcome->value.emplace(std::move(value));
}

inline boost::asio::awaitable<void> store(boost::asio::awaitable<void> task, std::shared_ptr<Outcome<Nothing>> outcome) {
    co_await std::move(task);
    outcome->value.emplace();
}

}  // namespace internal

// Runs the loop until `done()`; false when that takes longer than `timeout`.
template <class Condition>
[[nodiscard]] bool run_while_not(boost::asio::io_context& context, Condition done,
                                 std::chrono::steady_clock::duration timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (!done()) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= end) return false;
        if (context.stopped()) context.restart();
        context.run_one_for(std::min<std::chrono::steady_clock::duration>(end - now, std::chrono::milliseconds(20)));
    }
    return true;
}

// Runs the loop until the task has ended; its value. Throws what it threw, and when it takes longer than `timeout`.
template <class T>
T run_until(boost::asio::io_context& context, boost::asio::awaitable<T> task,
            std::chrono::steady_clock::duration timeout = std::chrono::seconds(20)) {
    using Value = std::conditional_t<std::is_void_v<T>, internal::Nothing, T>;
    auto outcome = std::make_shared<internal::Outcome<Value>>();
    auto ended = [outcome](std::exception_ptr thrown) {
        outcome->thrown = thrown;
        outcome->done = true;
    };
    boost::asio::co_spawn(context, internal::store(std::move(task), outcome), ended);
    if (!run_while_not(
            context, [&] { return outcome->done; }, timeout))
        throw std::runtime_error("the task did not end in time");
    if (outcome->thrown) std::rethrow_exception(outcome->thrown);
    if constexpr (!std::is_void_v<T>) return std::move(*outcome->value);
}

}  // namespace support
