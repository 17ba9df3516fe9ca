// Bytes that came from a connection and are not used up yet: little memory at first, more only while it is needed.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace millrace::http {

class Buffer {
public:
    static constexpr std::size_t bytes_first = 2 * 1024;

    [[nodiscard]] std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::size_t room() const { return capacity_ - end_; }
    [[nodiscard]] boost::asio::mutable_buffer tail() { return {bytes_.get() + end_, room()}; }

    void commit(std::size_t n) { end_ += n; }
    void truncate(std::size_t length) { end_ = begin_ + length; }
    void consume(std::size_t n) {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    // Makes room for at least `wanted` bytes; what was viewed may have moved.
    void make_room(std::size_t wanted) {
        if (room() >= wanted) return;
        const std::size_t used = end_ - begin_;
        if (capacity_ - used >= wanted) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, used);
        } else {
            move_to(std::max({bytes_first, capacity_ * 2, used + wanted}));
        }
        begin_ = 0;
        end_ = used;
    }

    // Gives back what a large request needed; to be called while nothing is in it.
    void shrink() {
        if (!empty() || capacity_ <= bytes_first) return;
        bytes_.reset();
        capacity_ = 0;
    }

private:
    void move_to(std::size_t capacity) {
        auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
        if (!empty()) std::memcpy(bytes.get(), bytes_.get() + begin_, end_ - begin_);
        bytes_ = std::move(bytes);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace millrace::http
