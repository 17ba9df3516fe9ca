// Decides when a batch of log lines is written, and gives up on it when nobody reads.
#include "sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

namespace millrace::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_bytes_max = 64 * 1024;
constexpr std::size_t chunk_bytes = 4096;  // PIPE_BUF: a pipe that says it is writable takes so much without blocking
constexpr int patience_ms = 1000;
constexpr auto nap = 1ms;

}  // namespace

// A quiet server's line is written at once. The nap after it lets the lines of a busy one pile up: one wake-up and one write
// for many of them, instead of a wake-up each.
void LineSink::sink_it_(const spdlog::details::log_msg& line) {
    batch_.append(line.payload.data(), line.payload.size());
    batch_ += '\n';
    const bool last = queue_ == nullptr || queue_->queue_size() == 0;
    if (!last && batch_.size() < batch_bytes_max) return;
    write_batch();
    if (last) std::this_thread::sleep_for(nap);
}

void LineSink::flush_() {
    write_batch();
    {
        const std::lock_guard lock(mutex_);
        ++flushes_;
    }
    flushed_.notify_all();
}

std::uint64_t LineSink::flushes() const {
    const std::lock_guard lock(mutex_);
    return flushes_;
}

void LineSink::wait_for_flush_after(std::uint64_t flushes) {
    std::unique_lock lock(mutex_);
    flushed_.wait_for(lock, 1s, [&] { return flushes_ > flushes; });
}

void LineSink::write_batch() {
    if (torn_) batch_.insert(0, 1, '\n');
    std::string_view rest = batch_;
    while (!rest.empty() && write_chunk(rest)) continue;
    const auto written = batch_.size() - rest.size();
    if (written > 0) torn_ = batch_[written - 1] != '\n';
    dropped_.fetch_add(static_cast<std::uint64_t>(std::ranges::count(rest, '\n')), std::memory_order_relaxed);
    batch_.clear();
}

bool LineSink::write_chunk(std::string_view& rest) {
    if (!writable()) return false;
    const auto n = ::write(descriptor_, rest.data(), std::min(rest.size(), chunk_bytes));
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    rest.remove_prefix(static_cast<std::size_t>(n));
    return true;
}

bool LineSink::writable() {
    pollfd poll_descriptor{descriptor_, POLLOUT, 0};
    const int ready = ::poll(&poll_descriptor, 1, stuck_ ? 0 : patience_ms);
    if (ready < 0) return errno == EINTR;
    stuck_ = ready == 0;
    return ready > 0;
}

}  // namespace millrace::telemetry
