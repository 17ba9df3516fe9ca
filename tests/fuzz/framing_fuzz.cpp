// The framing guard under any bytes: pieces change nothing, views stay inside, and Boost.Beast, a second reader, takes every
// accepted request as the guard does.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <millrace/core/framing.hpp>

namespace {

namespace http = boost::beast::http;
using namespace millrace::framing;

constexpr std::uint64_t body_bytes_max = 4096;

void require(bool holds, const char* rule) {
    if (holds) return;
    std::fprintf(stderr, "broken rule: %s\n", rule);
    std::abort();
}

using Found = millrace::Result<std::optional<std::size_t>>;

Found find_in_pieces(std::string_view input, std::size_t step) {
    std::size_t scanned = 0;
    for (std::size_t seen = std::min(step, input.size());; seen = std::min(seen + step, input.size())) {
        Found found = find_head(input.substr(0, seen), {}, scanned);
        if (!found || *found || seen == input.size()) return found;
    }
}

struct Decoded {
    bool failed = false, done = false;
    std::size_t used = 0;
    std::string body;
};

Decoded decode_in_pieces(std::string_view input, std::size_t step) {
    ChunkDecoder decoder({}, body_bytes_max);
    Decoded out;
    while (out.used < input.size() && !decoder.done()) {
        const auto used = decoder.feed(input.substr(out.used, step), out.body);
        if (!used) {
            out.failed = true;
            return out;
        }
        out.used += *used;
    }
    out.done = decoder.done();
    return out;
}

void check_views(const Head& head, std::string_view text) {
    for (const auto& [name, value] : head.request.headers) {
        require(!name.empty() && name.data() >= text.data() && name.data() + name.size() <= text.data() + text.size(), "name");
        require(value.empty() || (value.data() >= text.data() && value.data() + value.size() <= text.data() + text.size()),
                "value");
    }
    require(head.request.path.size() + head.request.query.size() <= head.request.target.size(), "path and query in target");
}

void check_body(const Decoded& decoded, std::string_view rest, http::request_parser<http::string_body>& beast,
                boost::system::error_code& error) {
    if (!decoded.done) return;
    std::size_t used = 0;
    while (!error && !beast.is_done() && used < rest.size())
        used += beast.put(boost::asio::buffer(rest.data() + used, rest.size() - used), error);
    if (error) return;  // Beast also reads the grammar of extensions and trailers, which nobody acts on
    require(beast.is_done(), "Beast ends where the guard ends");
    require(used == decoded.used && beast.get().body() == decoded.body, "Beast takes the same body");
}

void compare_with_beast(const Head& head, std::string_view text, std::string_view rest, const Decoded& decoded) {
    http::request_parser<http::string_body> beast;
    beast.header_limit(64 * 1024);
    beast.body_limit(boost::none);
    boost::system::error_code error;
    // Beast takes no empty lines first.
    while (text.starts_with("\r\n")) text.remove_prefix(2);
    beast.put(boost::asio::buffer(text.data(), text.size()), error);
    require(!error && beast.is_header_done(), "Beast accepts what the guard accepts");
    const auto& request = beast.get();
    require(request.method_string() == millrace::message::name(head.request.method), "the same method");
    require(request.target().ends_with(head.request.target) || head.request.target == "/", "the same target");
    require(static_cast<std::size_t>(std::distance(request.begin(), request.end())) == head.request.headers.size(),
            "the same fields");
    require(beast.chunked() == (head.body == BodyKind::chunked), "the same coding");
    require(beast.content_length().value_or(0) == head.content_length, "the same length");
    require(beast.keep_alive() == head.keep_alive, "the same end");
    if (head.body == BodyKind::chunked) check_body(decoded, rest, beast, error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t step = data[0] % 32U + 1U;
    const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);

    const Found found = find_in_pieces(input, step);
    const Found whole = find_in_pieces(input, input.size());
    require(found.has_value() == whole.has_value() && (!found || *found == *whole), "pieces change nothing");
    const Decoded alone = decode_in_pieces(input, step);
    require(alone.body == decode_in_pieces(input, input.size()).body, "pieces of a body change nothing");
    if (!found || !*found) {
        require(!read_head(input, {}).has_value(), "what has no end is not read");
        return 0;
    }
    const std::string_view text = input.substr(0, **found), rest = input.substr(**found);
    const auto head = read_head(text, {});
    if (!head) return 0;
    check_views(*head, text);
    compare_with_beast(*head, text, rest, decode_in_pieces(rest, step));
    return 0;
}
