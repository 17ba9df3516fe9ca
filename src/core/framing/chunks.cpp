// Takes the chunked coding off a body (RFC 9112 §7.1) and refuses every way of writing it that two readers could take apart.
#include <algorithm>
#include <millrace/core/framing.hpp>

#include "characters.hpp"

namespace millrace::framing {
namespace {

constexpr std::size_t size_digits_max = 15;  // 60 bits: no overflow, also with leading zeros

Error bad(std::string details) { return Error::of(Fault::bad_framing).with_details(std::move(details)); }

}  // namespace

Result<std::size_t> ChunkDecoder::feed(std::string_view input, std::string& body) {
    std::size_t at = 0;
    while (at < input.size() && state_ != State::done) {
        if (state_ == State::data) {
            const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
            body.append(input, at, length);
            at += length;
            left_ -= length;
            if (left_ == 0) state_ = State::data_cr;
        } else if (auto taken = take(input[at++]); !taken) {
            return std::move(taken).error();
        }
    }
    return at;
}

Result<void> ChunkDecoder::take(char c) {
    switch (state_) {
        case State::size:
            return take_size(c);
        case State::size_space:
        case State::extension:
            return take_extension(c);
        case State::size_lf:
            return expect('\n', c, left_ == 0 ? State::trailer_start : State::data);
        case State::data_cr:
            return expect('\r', c, State::data_lf);
        case State::data_lf:
            size_digits_ = extension_bytes_ = 0;
            return expect('\n', c, State::size);
        case State::trailer_start:
        case State::trailer_name:
        case State::trailer_value:
            return take_trailer(c);
        case State::trailer_lf:
            return expect('\n', c, State::trailer_start);
        case State::end_lf:
            return expect('\n', c, State::done);
        case State::data:
        case State::done:
            return {};
    }
    return {};
}

Result<void> ChunkDecoder::expect(char wanted, char c, State next) {
    if (c != wanted) return bad("A line of the chunked body does not end with CRLF where it must.");
    state_ = next;
    return {};
}

Result<void> ChunkDecoder::take_size(char c) {
    if (const int digit = hex_value(c); digit >= 0) {
        if (++size_digits_ > size_digits_max) return bad("A chunk's size has too many digits.");
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return {};
    }
    if (size_digits_ == 0) return bad("A chunk does not begin with its size.");
    if (left_ > body_bytes_max_ - taken_) return Error::of(Fault::body_too_large);
    taken_ += left_;
    return take_extension(c);
}

// Extensions are ignored (RFC 9112 §7.1.1); white space before their semicolon is allowed for old senders, nothing else is.
Result<void> ChunkDecoder::take_extension(char c) {
    if (c == '\r') {
        if (state_ == State::size_space) return bad("White space stands behind a chunk's size.");
        return expect('\r', c, State::size_lf);
    }
    if (++extension_bytes_ > limits_.chunk_extension_bytes_max) return bad("A chunk's extension is too long.");
    if (!is_plain(c) && c != '\t') return bad("A chunk's extension holds a byte that is not ASCII text.");
    if (state_ == State::extension) return {};
    if (c == ';') {
        state_ = State::extension;
    } else if (is_space(c)) {
        state_ = State::size_space;
    } else {
        return bad("A chunk's size is not hexadecimal.");
    }
    return {};
}

Result<void> ChunkDecoder::take_trailer(char c) {
    if (c == '\r') {
        if (state_ == State::trailer_start) return expect('\r', c, State::end_lf);
        if (state_ == State::trailer_name) return bad("A trailer has no colon.");
        return expect('\r', c, State::trailer_lf);
    }
    if (++trailer_bytes_ > limits_.trailer_bytes_max) return Error::of(Fault::head_too_large);
    if (state_ == State::trailer_value) {
        if (is_plain(c) || c == '\t') return {};
        return bad("A trailer's value holds a byte that is not ASCII text.");
    }
    if (c == ':' && state_ == State::trailer_name) {
        state_ = State::trailer_value;
        return {};
    }
    if (!is_tchar(c)) return bad("A trailer's name is not a token.");
    state_ = State::trailer_name;
    return {};
}

}  // namespace millrace::framing
