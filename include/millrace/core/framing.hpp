// The framing guard: every rule a request head must obey before anything trusts it.
//
// Boost 1.81's parser lets pass what a proxy in front may read otherwise (RFC 9112 §11.2, request smuggling), so the head is
// checked here first and handed to the parser only when there is one way to read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

}  // namespace millrace::framing
