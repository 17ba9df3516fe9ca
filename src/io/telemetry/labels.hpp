// Label values as small numbers, so that counting needs no text; bounded, because each value is memory here and in Prometheus.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::telemetry {

using Name = std::pair<std::string, std::string>;  // of a label with one part the second is empty

// The process's numbering, asked once per thread and name. The number `max()` means "other".
class BoundedNames {
public:
    explicit BoundedNames(std::size_t max) : max_(max) {}
    [[nodiscard]] std::size_t index_of(std::string_view first, std::string_view second);
    [[nodiscard]] std::size_t max() const { return max_; }
    [[nodiscard]] std::vector<Name> names() const;  // by number; without "other"

private:
    std::size_t max_;
    mutable std::mutex mutex_;
    std::map<Name, std::size_t> numbers_;
};

// One thread's memory of those numbers: open addressing by hash, no lock, no allocation for a name that was seen before.
class NameCache {
public:
    explicit NameCache(BoundedNames& names);
    [[nodiscard]] std::size_t index_of(std::string_view first, std::string_view second = {});

private:
    struct Entry {
        std::uint64_t hash = 0;
        std::size_t index = 0;
        bool used = false;
        Name name;
    };

    BoundedNames& names_;
    std::vector<Entry> entries_;  // a power of two, at most half of them used
    std::size_t used_ = 0;
};

}  // namespace millrace::telemetry
