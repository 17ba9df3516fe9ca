// The framing guard: every rule a request head must obey before anything trusts it.
//
// Common parsers, Boost 1.81's among them, let pass what a proxy in front may read otherwise (RFC 9112 §11.2, request
// smuggling). Here a head is read only when there is one way to read it, and what is read here is what is served.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::framing {

struct Limits {
    std::size_t head_bytes_max = 16 * 1024;
    std::size_t headers_max = 100;
    std::size_t target_bytes_max = 8 * 1024;
    std::size_t chunk_extension_bytes_max = 256;  // per chunk
    std::size_t trailer_bytes_max = 4 * 1024;
};

enum class BodyKind : std::uint8_t { none, sized, chunked };

// What the head says, with views into it.
struct Head {
    message::Request request;  // everything but body, peer and arrived
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    bool keep_alive = true;  // HTTP/1.1 without "close", HTTP/1.0 with "keep-alive"
    bool http_1_0 = false;
    bool expects_continue = false;
};

// The length of the head including its empty line, or nothing while it is incomplete. Leading CRLFs before a request line
// are part of the head (RFC 9112 §2.2). Fails as soon as what is there cannot become a head (bare CR, bare LF, control bytes,
// over the limit), so a slow or endless head is refused early. `scanned` is where the last call stopped; give 0 at first.
[[nodiscard]] Result<std::optional<std::size_t>> find_head(std::string_view buffer, const Limits& limits, std::size_t& scanned);

// Checks and reads a complete head. The rules: RFC 9112 §2.2, §3.2, §5.1, §5.2, §6.1–§6.3, RFC 9110 §5.5, §5.6.2, §7.2, RFC
// 3986 §3.2.2; exactly one valid Host; no Content-Length with Transfer-Encoding; one "chunked" at most, in HTTP/1.1 only;
// digits-only Content-Length; CONNECT, TRACE and unknown methods 501; "GET *" refused; absolute-form must agree with Host.
[[nodiscard]] Result<Head> read_head(std::string_view head, const Limits& limits);
// The same into a Head that is used again: its vector of headers keeps its memory.
[[nodiscard]] Result<void> read_head(std::string_view head, const Limits& limits, Head& into);

// Takes the chunked coding off a body, piece by piece (RFC 9112 §7.1). Line ends are CRLF only, extensions and trailers are
// bounded, checked like header fields and dropped: a trailer never becomes a header.
class ChunkDecoder {
public:
    ChunkDecoder(const Limits& limits, std::uint64_t body_bytes_max) : limits_(limits), body_bytes_max_(body_bytes_max) {}

    // Appends the data in `input` to `body` and tells how many bytes it used: all of them, unless the body ended before.
    [[nodiscard]] Result<std::size_t> feed(std::string_view input, std::string& body);
    [[nodiscard]] bool done() const { return state_ == State::done; }

private:
    enum class State : std::uint8_t {
        size,
        size_space,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_lf,
        end_lf,
        done
    };

    [[nodiscard]] Result<void> take(char c);
    [[nodiscard]] Result<void> take_size(char c);
    [[nodiscard]] Result<void> take_extension(char c);
    [[nodiscard]] Result<void> take_trailer(char c);
    [[nodiscard]] Result<void> expect(char wanted, char c, State next);

    Limits limits_;
    std::uint64_t body_bytes_max_;
    std::uint64_t left_ = 0;           // of the chunk: its size while it is read, then what is still to come
    std::uint64_t taken_ = 0;          // of the body
    std::size_t size_digits_ = 0;      // of the present chunk's size
    std::size_t extension_bytes_ = 0;  // of the present chunk
    std::size_t trailer_bytes_ = 0;
    State state_ = State::size;
};

}  // namespace millrace::framing
