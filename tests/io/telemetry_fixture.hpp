// What the tests of telemetry have in common: its metrics as they are scraped, and a request to count.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "millrace/core/text.hpp"
#include "millrace/io/telemetry.hpp"

namespace millrace::telemetry {

// Samples of an exposition by what stands before the value; -1: no such sample.
class Scraped {
public:
    explicit Scraped(const Telemetry& telemetry) : text(telemetry.scrape()) {
        for (std::string_view line : text::split(text, '\n')) {
            const auto space = line.rfind(' ');
            if (line.empty() || line.starts_with('#') || space == std::string_view::npos) continue;
            samples_.emplace(line.substr(0, space), std::stod(std::string(line.substr(space + 1))));
        }
    }
    double operator[](const std::string& name) const {
        const auto found = samples_.find(name);
        return found == samples_.end() ? -1 : found->second;
    }
    double sum(std::string_view prefix) const {
        double total = 0;
        for (const auto& [name, value] : samples_)
            if (name.starts_with(prefix)) total += value;
        return total;
    }
    std::size_t count(std::string_view prefix) const {
        std::size_t n = 0;
        for (const auto& [name, value] : samples_) n += name.starts_with(prefix) ? 1 : 0;
        return n;
    }

    std::string text;

private:
    std::map<std::string, double> samples_;
};

inline config::LogSettings settings(const std::string& level, bool access = true, std::uint64_t percent = 100) {
    return {level, access, percent};
}

inline events::RequestFinished request(int status = 200, std::string_view route = "products") {
    events::RequestFinished finished;
    finished.version = "v1";
    finished.route = route;
    finished.status = status;
    finished.total = std::chrono::milliseconds(2);
    finished.cache = events::CacheResult::miss;
    finished.cache_reason = events::CacheReason::absent;
    return finished;
}

}  // namespace millrace::telemetry
