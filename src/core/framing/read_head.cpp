// Reads a complete request head, or refuses it: one framing, one host, and no byte that two readers could take differently.
#include <algorithm>
#include <charconv>
#include <limits>
#include <millrace/core/framing.hpp>
#include <millrace/core/text.hpp>
#include <utility>

#include "blank_lines.hpp"
#include "characters.hpp"
#include "host.hpp"
#include "request_line.hpp"

namespace millrace::framing {
namespace {

using message::Header;

constexpr auto length_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

Error bad(std::string details) { return Error::of(Fault::bad_framing).with_details(std::move(details)); }

// What the fields that frame a message said; each is looked at once, while the fields are read.
struct Framing {
    std::string_view host, coding, length;
    int hosts = 0, codings = 0, lengths = 0;
    bool close = false, keep_alive = false, bad_connection = false, continues = false, other_expectation = false;
};

void note_connection(std::string_view value, Framing& framing) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        const std::string_view option = text::trim(value.substr(0, comma));
        framing.close |= text::iequals(option, "close");
        framing.keep_alive |= text::iequals(option, "keep-alive");
        framing.bad_connection |= !std::ranges::all_of(option, is_tchar);
        if (comma == std::string_view::npos) return;
        value.remove_prefix(comma + 1);
    }
}

void note(const Header& header, Framing& framing) {
    const auto is = [&](std::string_view name) { return text::iequals(header.name, name); };
    switch (header.name.size()) {
        case 4:
            if (!is("host")) return;
            framing.host = header.value;
            ++framing.hosts;
            return;
        case 6:
            if (!is("expect")) return;
            (text::iequals(header.value, "100-continue") ? framing.continues : framing.other_expectation) = true;
            return;
        case 10:
            if (is("connection")) note_connection(header.value, framing);
            return;
        case 14:
            if (!is("content-length")) return;
            framing.length = header.value;
            ++framing.lengths;
            return;
        case 17:
            if (!is("transfer-encoding")) return;
            framing.coding = header.value;
            ++framing.codings;
            return;
        default:
            return;
    }
}

Error bad_name(std::string_view text, std::size_t start, std::size_t at) {
    if (at == start && at < text.size() && is_space(text[at])) return bad("A header field is folded.");
    if (at > start && at < text.size() && is_space(text[at])) return bad("A space stands before a header field's colon.");
    return bad("A header field's name is not a token followed by a colon.");
}

// One field line at `at`, which then stands behind its CRLF.
Result<Header> read_field(std::string_view text, std::size_t& at) {
    const std::size_t start = at;
    while (at < text.size() && is_tchar(text[at])) ++at;
    if (at == start || at == text.size() || text[at] != ':') return bad_name(text, start, at);
    const std::string_view name = text.substr(start, at - start);
    const std::size_t value = ++at;
    at = skip_plain(text, at);
    while (at < text.size() && text[at] == '\t') at = skip_plain(text, at + 1);
    if (text.substr(at, 2) != "\r\n") return bad("A header field's value holds a byte that is not ASCII text.");
    at += 2;
    return Header{name, text::trim(text.substr(value, at - 2 - value))};
}

Result<void> read_fields(std::string_view text, std::size_t at, const Limits& limits, Head& head, Framing& framing) {
    while (text.substr(at, 2) != "\r\n") {
        if (head.request.headers.size() == limits.headers_max) return Error::of(Fault::head_too_large);
        auto field = read_field(text, at);
        if (!field) return std::move(field).error();
        note(*field, framing);
        head.request.headers.push_back(*field);
    }
    if (at + 2 != text.size()) return bad("Bytes stand behind the head's empty line.");
    return {};
}

Result<void> check_host(const Framing& framing, const RequestLine& line) {
    if (framing.hosts != 1 || !valid_host(framing.host)) return Error::of(Fault::bad_host);
    if (line.default_port.empty()) return {};
    if (!valid_host(line.authority)) return Error::of(Fault::bad_host).with_details("The target names no valid host.");
    if (same_host(line.authority, framing.host, line.default_port)) return {};
    return Error::of(Fault::bad_host).with_details("The target and the Host field name different hosts.");
}

Result<void> read_coding(const Framing& framing, Head& head) {
    if (framing.codings != 1 || framing.coding.empty()) return bad("There is not exactly one Transfer-Encoding.");
    if (framing.lengths != 0) return bad("There are both a Content-Length and a Transfer-Encoding.");
    if (head.http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding.");
    if (!text::iequals(framing.coding, "chunked")) return Error::of(Fault::unknown_transfer_coding);
    head.body = BodyKind::chunked;
    return {};
}

Result<void> read_length(const Framing& framing, Head& head) {
    const std::string_view length = framing.length;
    if (framing.lengths != 1) return bad("There is more than one Content-Length.");
    const char* end = length.data() + length.size();
    const auto [stop, error] = std::from_chars(length.data(), end, head.content_length);  // unsigned: takes digits only
    if (error != std::errc{} || stop != end || head.content_length > length_max) return bad("The Content-Length is no length.");
    head.body = head.content_length == 0 ? BodyKind::none : BodyKind::sized;
    return {};
}

Result<void> check_framing(const Framing& framing, const RequestLine& line, Head& head) {
    if (auto host = check_host(framing, line); !host) return host;
    if (framing.codings != 0) {
        if (auto coding = read_coding(framing, head); !coding) return coding;
    } else if (framing.lengths != 0) {
        if (auto length = read_length(framing, head); !length) return length;
    }
    if (framing.bad_connection) return bad("The Connection field is no list of tokens.");
    if (framing.other_expectation) return Error::of(Fault::expectation_failed);
    head.expects_continue = framing.continues && !head.http_1_0;  // RFC 9110 §10.1.1: 1.0 does not know it
    head.keep_alive = !framing.close && (!head.http_1_0 || framing.keep_alive);
    return {};
}

void forget(Head& head) {
    auto headers = std::move(head.request.headers);
    headers.clear();
    head = {};
    head.request.headers = std::move(headers);
}

}  // namespace

Result<void> read_head(std::string_view text, const Limits& limits, Head& into) {
    forget(into);
    if (text.size() > limits.head_bytes_max) return Error::of(Fault::head_too_large);
    const auto line = read_request_line(text, skip_blank_lines(text), limits, into);
    if (!line) return line.error();
    Framing framing;
    if (auto fields = read_fields(text, line->end, limits, into, framing); !fields) return fields;
    return check_framing(framing, *line, into);
}

Result<Head> read_head(std::string_view text, const Limits& limits) {
    Head head;
    auto read = read_head(text, limits, head);
    if (!read) return std::move(read).error();
    return head;
}

}  // namespace millrace::framing
