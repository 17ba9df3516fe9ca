// Takes numbers and texts from the front of a message; once something is missing, everything after it is missing too.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::replication {

class Bytes {
public:
    explicit Bytes(std::string_view rest) : rest_(rest) {}

    // Network byte order.
    template <class Number>
    Number number() {
        const std::string_view bytes = take(sizeof(Number));
        std::uint64_t value = 0;
        for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
        return static_cast<Number>(value);
    }
    std::string_view take(std::size_t count) {
        if (count > rest_.size()) return fail();
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    // Up to the zero byte that ends it.
    std::string_view text() {
        const std::size_t end = rest_.find('\0');
        if (end == std::string_view::npos) return fail();
        const std::string_view taken = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return taken;
    }
    std::string_view fail() {
        good_ = false;
        rest_ = {};
        return {};
    }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool used_up() const { return good_ && rest_.empty(); }  // nothing was missing, nothing is left

private:
    std::string_view rest_;
    bool good_ = true;
};

}  // namespace millrace::replication
