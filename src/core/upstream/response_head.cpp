// The head of a service's answer: read one way or not at all.
#include <algorithm>
#include <array>

#include "hops.hpp"
#include "millrace/core/text.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::upstream {
namespace {

using message::Header;

constexpr std::size_t fields_max = 200;

Error bad(std::string details) { return Error::of(Fault::upstream_failed).with_details(std::move(details)); }

bool is_token(std::string_view name) {
    static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}

bool is_value(std::string_view value) {
    return std::ranges::all_of(value, [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); });
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    return line;
}

// "HTTP/1.1 200 OK", the reason being of no use.
Result<int> read_status_line(std::string_view line, bool& http_1_0) {
    http_1_0 = line.starts_with("HTTP/1.0 ");
    const bool ours = http_1_0 || line.starts_with("HTTP/1.1 ");
    const std::string_view digits = line.substr(std::min<std::size_t>(9, line.size()), 3);
    const bool number = digits.size() == 3 && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    const bool ends = line.size() == 12 || (line.size() > 12 && line[12] == ' ');
    if (!ours || !number || !ends || !is_value(line)) return bad("its status line is none of HTTP/1.1");
    const int status = static_cast<int>(*text::to_int(digits));
    if (status < 100 || status > 599) return bad("its status is none");
    return status;
}

Result<std::vector<Header>> read_fields(std::string_view rest) {
    std::vector<Header> fields;
    for (;;) {
        const std::string_view line = take_line(rest);
        if (line.empty()) return fields;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_value(line))
            return bad("a line of its head is no field");
        if (fields.size() >= fields_max) return bad("its head has too many fields");
        fields.push_back({line.substr(0, colon), text::trim(line.substr(colon + 1))});
    }
}

struct Framing {
    bool chunked = false, close = false, keep = false;
    std::optional<std::uint64_t> length;
    std::vector<std::string_view> connection;
};

Result<void> add_length(Framing& framing, std::string_view value) {
    constexpr std::size_t digits_max = 18;
    const bool digits =
        !value.empty() && value.size() <= digits_max && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    const auto length = digits ? text::to_int(value) : std::nullopt;
    if (!length || (framing.length && *framing.length != static_cast<std::uint64_t>(*length)))
        return bad("its Content-Length is no length");
    framing.length = static_cast<std::uint64_t>(*length);
    return {};
}

Result<Framing> framing_of(const std::vector<Header>& fields, bool http_1_0) {
    Framing out;
    for (const Header& field : fields) {
        if (text::iequals(field.name, "content-length")) {
            if (auto added = add_length(out, field.value); !added) return std::move(added).error();
        } else if (text::iequals(field.name, "transfer-encoding")) {
            if (out.chunked || http_1_0 || !text::iequals(field.value, "chunked"))
                return bad("its Transfer-Encoding is unknown");
            out.chunked = true;
        } else if (text::iequals(field.name, "connection")) {
            append_list(out.connection, field.value);
        }
    }
    if (out.chunked && out.length) return bad("it has both a Content-Length and a Transfer-Encoding");
    for (const std::string_view name : out.connection) {
        out.close = out.close || text::iequals(name, "close");
        out.keep = out.keep || text::iequals(name, "keep-alive");
    }
    return out;
}

// RFC 9112 §6.3.
void frame(Head& head, const Framing& framing, message::Method asked, bool http_1_0) {
    head.keep_alive = !framing.close && (!http_1_0 || framing.keep);
    const bool bodiless = asked == message::Method::head || head.status < 200 || head.status == 204 || head.status == 304;
    if (bodiless) return;
    if (framing.chunked) {
        head.body = BodyKind::chunked;
    } else if (framing.length) {
        head.body = *framing.length == 0 ? BodyKind::none : BodyKind::sized;
        head.length = *framing.length;
    } else {
        head.body = BodyKind::to_end;
        head.keep_alive = false;
    }
}

// It says who made the answer and which pages may read it, and we say that ourselves.
bool is_seen(const Header& field, const Framing& framing, const routes::UpstreamPolicy& policy) {
    if (ends_here(field.name, framing.connection) || text::iequals(field.name, "server")) return false;
    constexpr std::string_view cors = "access-control-";
    if (text::iequals(field.name.substr(0, cors.size()), cors)) return false;
    return std::ranges::none_of(policy.remove_headers, [&](const auto& each) { return text::iequals(each, field.name); });
}

}  // namespace

Result<std::optional<std::size_t>> head_length(std::string_view buffer) {
    const std::size_t end = buffer.find("\r\n\r\n");
    const bool known = end != std::string_view::npos;
    if ((known ? end : buffer.size()) > head_bytes_max) return bad("its head is too long");
    // What begins otherwise will never be an answer, however long one waits.
    constexpr std::string_view begins = "HTTP/1.";
    const std::size_t seen = std::min(buffer.size(), begins.size());
    if (buffer.substr(0, seen) != begins.substr(0, seen)) return bad("it is no HTTP/1.1");
    if (!known) return std::optional<std::size_t>();
    return std::optional<std::size_t>(end + 4);
}

Result<Head> read_head(std::string_view head, message::Method asked, const routes::UpstreamPolicy& policy) {
    std::string_view rest = head;
    bool http_1_0 = false;
    auto status = read_status_line(take_line(rest), http_1_0);
    if (!status) return std::move(status).error();
    auto fields = read_fields(rest);
    if (!fields) return std::move(fields).error();
    auto framing = framing_of(*fields, http_1_0);
    if (!framing) return std::move(framing).error();
    Head out;
    out.status = *status;
    frame(out, *framing, asked, http_1_0);
    message::HeaderBlock all;
    for (const Header& field : *fields) all.add(field.name, field.value);
    out.caching = caching_of(all);
    for (const Header& field : *fields) {
        if (text::iequals(field.name, "date")) out.caching.date = message::parse_http_date(field.value);
        if (is_seen(field, *framing, policy)) out.headers.add(field.name, field.value);
    }
    out.headers.add("Via", via);
    return out;
}

}  // namespace millrace::upstream
