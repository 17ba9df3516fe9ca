// Spawns coroutines as a group: reports what they throw, cancels them together, tells when the last has ended.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <list>

#include <millrace/io/net.hpp>

namespace millrace::net {

struct TaskGroup::One {
    asio::cancellation_signal signal;
    bool cancelled = false;
};

struct TaskGroup::State {
    State(asio::io_context& io, events::Observer& o) : context(io), observer(&o), ended(io) {}

    void finish(std::list<One>::iterator task) {
        if (task == next) ++next;
        tasks.erase(task);
        if (tasks.empty()) ended.notify_all();
    }

    asio::io_context& context;
    events::Observer* observer;  // nothing once the group is gone
    std::list<One> tasks;
    std::list<One>::iterator next = tasks.end();  // where cancel() goes on
    bool cancelled = false;
    Signal ended;
};

namespace {

// A task that was told to stop ends by Asio's exception for it: that is no bug.
bool is_cancellation(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

void report(events::Observer* observer, std::string_view where, std::exception_ptr error) {
    if (observer == nullptr) return;
    const std::string what = text_of(error);
    observer->on(events::Fallen{where, what});
}

}  // namespace

std::string text_of(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

TaskGroup::TaskGroup(asio::io_context& context, events::Observer& observer)
    : state_(std::make_shared<State>(context, observer)) {}

TaskGroup::~TaskGroup() {
    state_->observer = nullptr;
    cancel();
}

void TaskGroup::spawn(std::string_view where, asio::awaitable<void> task, One** one) {
    const auto place = state_->tasks.emplace(state_->tasks.end());
    if (one != nullptr) *one = &*place;
    auto done = [state = state_, place, name = std::string(where)](std::exception_ptr error) {
        if (error && !((state->cancelled || place->cancelled) && is_cancellation(error))) report(state->observer, name, error);
        state->finish(place);
    };
    asio::co_spawn(state_->context, std::move(task), asio::bind_cancellation_slot(place->signal.slot(), std::move(done)));
}

std::size_t TaskGroup::running() const { return state_->tasks.size(); }

void TaskGroup::cancel() {
    const auto state = state_;  // a task may destroy the group
    state->cancelled = true;
    for (state->next = state->tasks.begin(); state->next != state->tasks.end();) {
        const auto task = state->next++;
        task->signal.emit(asio::cancellation_type::terminal);
    }
}

void TaskGroup::cancel(One& one) {
    one.cancelled = true;
    one.signal.emit(asio::cancellation_type::terminal);
}

asio::awaitable<bool> TaskGroup::wait(Deadline deadline) {
    const auto state = state_;
    while (!state->tasks.empty()) {
        const bool woken = co_await state->ended.wait(deadline);
        if (!woken) co_return state->tasks.empty();
    }
    co_return true;
}

}  // namespace millrace::net
