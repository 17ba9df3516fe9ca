// Writes a reply's status line and fields; the framing ones are made here alone.
#include "reply_writer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <millrace/core/text.hpp>
#include <millrace/io/net.hpp>

namespace millrace::http {
namespace {

constexpr std::size_t request_id_bytes_max = 128;

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_status_line(std::string& out, int status) {
    if (status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
        return;
    }
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::uint64_t>(status));
    out += ' ';
    out += message::reason(status);
    out += "\r\n";
}

constexpr auto hex_pairs = [] {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {digits[i >> 4], digits[i & 15]};
    return pairs;
}();

// RFC 9110 §6.4.1: these never have a body, and §8.6: no Content-Length either.
bool has_no_body(int status) { return status == 204 || status == 304; }

}  // namespace

ReplyWriter::ReplyWriter(std::string_view server_name) {
    if (!server_name.empty()) server_line_ = "Server: " + std::string(server_name) + "\r\n";
}

bool ReplyWriter::append_head(std::string& out, const message::Reply& reply, const ReplyForm& form, TimePoint now) {
    if (now >= date_until_) refresh_date(now);
    // A final status only: a 1xx chosen by a database function would leave the client waiting for another.
    const int status = reply.status >= 200 && reply.status <= 599 ? reply.status : 500;
    append_status_line(out, status);
    out += date_line_;
    out += reply.headers.lines();
    const std::size_t length = reply.body.view().size();
    // RFC 9110 §8.6 leaves it open for HEAD. A body may not have been made at all, and PostgREST tells no length either.
    if (form.streams) {
        if (!form.http_1_0) out += "Transfer-Encoding: chunked\r\n";
    } else if (!has_no_body(status) && !form.head_only) {
        out += "Content-Length: ";
        append_number(out, length);
        out += "\r\n";
    }
    out += "X-Request-Id: ";
    out += form.request_id;
    out += form.close ? "\r\nConnection: close\r\n\r\n" : form.http_1_0 ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\n\r\n";
    return !form.head_only && !has_no_body(status) && length != 0;
}

// The date changes with the wall clock's second, so the line is made again when the steady clock reaches the next one.
void ReplyWriter::refresh_date(TimePoint now) {
    const WallTime wall = net::wall_now();
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    date_line_ = "Date: " + message::http_date(second) + "\r\n" + server_line_;
    date_until_ = now + std::chrono::duration_cast<Duration>(second + std::chrono::seconds(1) - wall);
}

RequestIds::RequestIds() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    random_.seed(seed);
}

void RequestIds::make(std::string& id) {
    id.resize(32);
    for (char* at = id.data(); at != id.data() + id.size();) {
        std::uint64_t bits = random_();
        for (int byte = 0; byte < 8; ++byte, bits >>= 8, at += 2) std::memcpy(at, hex_pairs[bits & 0xFF].data(), 2);
    }
}

bool RequestIds::valid(std::string_view id) {
    const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
    return !id.empty() && id.size() <= request_id_bytes_max && std::ranges::all_of(id, visible);
}

}  // namespace millrace::http
