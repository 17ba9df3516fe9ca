// One thread beside a loop: jobs go to it, what they bring comes back.
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "millrace/io/net.hpp"

namespace millrace::net {

struct SideThread::State {
    explicit State(asio::io_context& c) : context(c) {}
    asio::io_context& context;
    std::size_t waiting = 0;  // touched on the loop only
    asio::thread_pool thread{1};
};

SideThread::SideThread(asio::io_context& context) : state_(std::make_unique<State>(context)) {}

SideThread::~SideThread() {
    state_->thread.stop();
    state_->thread.join();
}

bool SideThread::run(std::function<void()> job, std::function<void()> finish) {
    if (state_->waiting >= waiting_max) return false;
    ++state_->waiting;
    auto finished = [state = state_.get(), finish = std::move(finish)] {
        --state->waiting;
        finish();
    };
    asio::post(state_->thread, [state = state_.get(), job = std::move(job), finished = std::move(finished)]() mutable {
        job();
        asio::post(state->context, std::move(finished));
    });
    return true;
}

std::size_t SideThread::waiting() const { return state_->waiting; }

}  // namespace millrace::net
