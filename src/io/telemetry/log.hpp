// Where lines go: spdlog's asynchronous logger with a bounded queue, and the settings that may change while it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "millrace/core/config.hpp"

namespace spdlog {
class async_logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace millrace::telemetry {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };
[[nodiscard]] std::string_view name(Level level);

class LineSink;

class Log {
public:
    Log(const config::LogSettings& settings, int descriptor);
    ~Log();

    void configure(const config::LogSettings& settings);
    [[nodiscard]] bool wants(Level level) const { return level >= level_.load(std::memory_order_relaxed); }
    // Of a hundred requests, how many get a line.
    [[nodiscard]] unsigned access_percent() const { return access_percent_.load(std::memory_order_relaxed); }

    [[nodiscard]] bool audits() const { return audits_.load(std::memory_order_relaxed); }

    void write(const std::string& line);
    void flush();
    [[nodiscard]] std::uint64_t dropped() const;  // lines that were overrun in the queue or that nobody took

private:
    std::atomic<Level> level_{Level::info};
    std::atomic<unsigned> access_percent_{100};
    std::atomic<bool> audits_{false};
    std::shared_ptr<spdlog::details::thread_pool> thread_;
    std::shared_ptr<LineSink> sink_;
    std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace millrace::telemetry
