// HTTP's vocabulary as values: what a request is once it is framed, and what a reply is before it is sent.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/coding.hpp"

namespace millrace::message {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };

[[nodiscard]] std::string_view name(Method method);

struct Header {
    std::string_view name;
    std::string_view value;
};

// A request as the framing guard left it. All views point into the connection's buffer and live until the reply is made.
struct Request {
    Method method = Method::get;
    std::string_view target;  // origin-form, as sent
    std::string_view path;    // of target, still percent-encoded
    std::string_view query;   // of target, without '?', still percent-encoded
    std::vector<Header> headers;
    std::string_view body;   // transfer coding removed
    std::string_view peer;   // the client's IP address, textual
    TimePoint arrived{};     // when the first byte of the head was there
    bool encrypted = false;  // the client speaks TLS: to us, or to a trusted proxy that says so

    // The first value of that name, compared without case; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view wanted) const;
    [[nodiscard]] bool has_header(std::string_view wanted) const;
};

// Does this field frame the message or the connection? Those are the session's alone: a second one from elsewhere could cut the
// stream differently for a proxy.
[[nodiscard]] bool frames_message(std::string_view field_name);

// Response header lines, kept as the bytes that are sent ("Name: value\r\n" …). None of them frames the message.
class HeaderBlock {
public:
    void add(std::string_view name, std::string_view value);  // nothing for a field that frames the message
    void set(std::string_view name, std::string_view value);  // replaces every line of that name
    void remove(std::string_view name);
    void append(const HeaderBlock& other) { lines_ += other.lines_; }
    [[nodiscard]] std::string_view get(std::string_view name) const;  // first value, empty when absent
    [[nodiscard]] const std::string& lines() const { return lines_; }
    static HeaderBlock from_lines(std::string_view lines);  // lines() of another one; with room for some more

private:
    std::string lines_;
};

// A body is owned by its reply or shared with the cache.
class Body {
public:
    Body() = default;
    Body(std::string bytes) : own_(std::move(bytes)) {}
    Body(std::shared_ptr<const std::string> bytes) : shared_(std::move(bytes)) {}
    [[nodiscard]] std::string_view view() const { return shared_ ? std::string_view(*shared_) : std::string_view(own_); }

    // The same bytes, for more than one owner.
    [[nodiscard]] std::shared_ptr<const std::string> share() {
        if (!shared_) shared_ = std::make_shared<const std::string>(std::move(own_));
        return shared_;
    }

private:
    std::string own_;
    std::shared_ptr<const std::string> shared_;
};

// A reply before it is framed: the session adds Date, Content-Length, Connection and X-Request-Id, and leaves the body out
// for HEAD. A 204 and a 304 have neither body nor Content-Length (RFC 9110 §8.6).
struct Reply {
    int status = 200;
    HeaderBlock headers;
    Body body;
    bool close = false;  // the connection ends after this reply
};

[[nodiscard]] std::string_view reason(int status);

// IMF-fixdate, RFC 9110 §5.6.7.
[[nodiscard]] std::string http_date(WallTime when);
// The three forms a recipient must accept; nothing when it is none of them.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view s);

// An entity tag as a condition names it. Of an answer that tells a total the total is part of its tag, since it may change
// while the rows stay; the tag of a body in a content coding has the coding's name: "1f-a0.250-gzip" is "1f-a0.250" in gzip.
struct EntityTag {
    std::string_view base;   // without quotes
    std::string_view total;  // with its dot
    coding::Coding coding = coding::Coding::identity;
    bool weak = false;
};
enum class Comparison : std::uint8_t { strong, weak };  // RFC 9110 §8.8.3.2

[[nodiscard]] bool is_any(std::string_view condition);  // "*"
// The first tag of If-Match or If-None-Match that names what `etag` names, in whatever coding; where `etag` has no total, with
// whatever total.
[[nodiscard]] std::optional<EntityTag> find_tag(std::string_view list, std::string_view etag, Comparison comparison);
// One of our own tags, of whatever coding, in another.
[[nodiscard]] std::string tag_in(std::string_view etag, coding::Coding coding);

}  // namespace millrace::message
