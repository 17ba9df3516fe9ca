// Writes lines to a descriptor in batches, and never waits for a reader that has stopped to read.
#pragma once

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace millrace::telemetry {

// Runs on the logger's one thread, except where said.
class LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit LineSink(int descriptor) : descriptor_(descriptor) {}
    void attach(spdlog::details::thread_pool& queue) { queue_ = &queue; }

    // Any thread.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t flushes() const;
    void wait_for_flush_after(std::uint64_t flushes);

protected:
    void sink_it_(const spdlog::details::log_msg& line) override;
    void flush_() override;

private:
    void write_batch();
    [[nodiscard]] bool write_chunk(std::string_view& rest);
    [[nodiscard]] bool writable();

    int descriptor_;
    spdlog::details::thread_pool* queue_ = nullptr;
    std::string batch_;
    bool stuck_ = false;  // the reader let a whole second pass
    bool torn_ = false;   // the last thing written was a part of a line
    std::atomic<std::uint64_t> dropped_{0};

    mutable std::mutex mutex_;
    std::condition_variable flushed_;
    std::uint64_t flushes_ = 0;
};

}  // namespace millrace::telemetry
