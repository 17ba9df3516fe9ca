// Sets spdlog up: one thread, a bounded queue that forgets its oldest line first, the line as it is.
#include "log.hpp"

#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "sink.hpp"

namespace millrace::telemetry {
namespace {

constexpr std::size_t queue_lines = 8192;
constexpr std::array<std::string_view, 6> level_names = {"trace", "debug", "info", "warn", "error", "off"};

Level level_of(std::string_view wanted) {
    const auto* found = std::ranges::find(level_names, wanted);
    return found == level_names.end() ? Level::info : static_cast<Level>(found - level_names.begin());
}

// Signals are for the threads that wait for them; and a reader that went away must not end the process by SIGPIPE.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

std::string_view name(Level level) { return level_names[static_cast<std::size_t>(level)]; }

Log::Log(const config::LogSettings& settings, int descriptor)
    : thread_(std::make_shared<spdlog::details::thread_pool>(queue_lines, 1, block_signals, [] {})),
      sink_(std::make_shared<LineSink>(descriptor)),
      logger_(
          std::make_shared<spdlog::async_logger>("millrace", sink_, thread_, spdlog::async_overflow_policy::overrun_oldest)) {
    sink_->attach(*thread_);
    logger_->set_level(spdlog::level::trace);
    configure(settings);
}

// The thread works its queue off and is joined before the sink goes.
Log::~Log() {
    logger_->flush();
    thread_.reset();
}

void Log::configure(const config::LogSettings& settings) {
    level_.store(level_of(settings.level), std::memory_order_relaxed);
    const auto percent = static_cast<unsigned>(std::min<std::uint64_t>(settings.access_sample_percent, 100));
    access_percent_.store(settings.access ? percent : 0, std::memory_order_relaxed);
    audits_.store(settings.audit, std::memory_order_relaxed);
}

// The lines carry their own level; spdlog only has to pass them on.
void Log::write(const std::string& line) { logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size())); }

void Log::flush() {
    const auto before = sink_->flushes();
    logger_->flush();
    sink_->wait_for_flush_after(before);
}

std::uint64_t Log::dropped() const { return thread_->overrun_counter() + sink_->dropped(); }

}  // namespace millrace::telemetry
