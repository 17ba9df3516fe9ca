// Any bytes as a PROXY header, as addresses and as what proxies forward: nothing crashes, how the bytes come in pieces changes
// nothing, and what a trusted proxy appended is what counts.
#include <string>

#include "input.hpp"
#include "millrace/core/peer.hpp"

namespace {

using namespace millrace;

struct Outcome {
    bool malformed = false, done = false;
    std::size_t used = 0;
    std::optional<peer::Address> client;
    bool operator==(const Outcome&) const = default;
};

Outcome read_header(std::string_view input, std::size_t step) {
    peer::ProxyHeader header;
    Outcome outcome;
    while (!header.done() && outcome.used < input.size()) {
        const auto used = header.feed(input.substr(outcome.used, step));
        if (!used) return {true, false, 0, std::nullopt};
        outcome.used += *used;
    }
    fuzz::check(outcome.used <= peer::ProxyHeader::bytes_max);
    outcome.done = header.done();
    outcome.client = header.client();
    return outcome;
}

void check_address(std::string_view input) {
    const auto address = peer::Address::parse(input);
    if (address) fuzz::check(peer::Address::parse(address->text()) == address);
    const auto network = peer::Network::parse(input);
    if (network && address) fuzz::check(network->contains(*address));
}

const peer::Address proxy = *peer::Address::parse("10.0.0.1");
const peer::Networks trusted = *peer::Networks::parse(std::vector<std::string>{"10.0.0.0/8"});

message::Request request_with(const char* field, const std::string& value) {
    message::Request request;
    request.headers.push_back({field, value});
    return request;
}

peer::Address client(const char* field, const std::string& value) {
    return peer::client_of(request_with(field, value), {proxy}, trusted).address;
}

bool used_tls(const char* field, const std::string& value) {
    return peer::client_of(request_with(field, value), {proxy}, trusted).encrypted;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = fuzz::text_of(data, size);
    fuzz::check(read_header(input, 1) == read_header(input, input.size() + 1));
    check_address(input);
    const std::string sent(input);
    (void)client("X-Forwarded-For", sent);
    (void)client("Forwarded", sent);
    fuzz::check(used_tls("X-Forwarded-Proto", sent + ", https"));
    fuzz::check(!used_tls("X-Forwarded-Proto", sent + ", http"));
    fuzz::check(used_tls("Forwarded", sent + ", for=192.0.2.1;proto=https"));
    const peer::Address known = *peer::Address::parse("2001:db8::9");
    fuzz::check(client("X-Forwarded-For", sent + ", 2001:db8::9") == known);
    fuzz::check(client("Forwarded", sent + ", for=\"[2001:db8::9]\";host=\"a\\\",b\"") == known);
    return 0;
}
