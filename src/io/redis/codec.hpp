// The protocol's bytes: commands to bytes, and bytes to values within bounds. hiredis does both.
#pragma once

#include <hiredis/read.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "millrace/io/redis.hpp"

namespace millrace::redis {

inline constexpr std::size_t command_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t reply_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t reply_values_max = 10'000;

// Nothing when it is empty or larger than command_bytes_max.
[[nodiscard]] std::optional<std::string> format(std::span<const std::string_view> arguments);

// Bytes in, replies out. After a failure it is of no use any more.
class Reader {
public:
    Reader();
    // False: the bytes are no Redis protocol, or a reply is beyond the bounds.
    [[nodiscard]] bool feed(std::string_view bytes);
    [[nodiscard]] std::optional<Value> next();
    [[nodiscard]] bool broken() const { return broken_; }

private:
    struct Free {
        void operator()(redisReader* reader) const { redisReaderFree(reader); }
    };
    std::size_t values_ = 0;  // of the reply that is being read
    std::size_t bytes_ = 0;   // the same
    bool broken_ = false;
    std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace millrace::redis
