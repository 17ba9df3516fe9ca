// Decides whether an address is in a network, and what is wrong with the text of one.
#include <algorithm>
#include <charconv>

#include "millrace/core/peer.hpp"

namespace millrace::peer {
namespace {

constexpr int v4_bits = 32, v6_bits = 128;

Error no_network(std::string_view text, std::string_view why) {
    return Error::of(Fault::internal, "\"" + std::string(text) + "\" is no network: " + std::string(why));
}

std::optional<int> bits_of(std::string_view s, int most) {
    int bits = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), bits);
    if (s.empty() || error != std::errc() || end != s.data() + s.size() || bits < 0 || bits > most) return std::nullopt;
    return bits;
}

// The first so many bits.
Address mask_of(int bits) {
    Address::V6 bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const int left = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
        bytes[i] = static_cast<unsigned char>(0xFF00U >> left);
    }
    return Address(bytes);
}

Address first_of(const Address& address, const Address& mask) {
    Address::V6 bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(address.bytes()[i] & mask.bytes()[i]);
    return Address(bytes);
}

}  // namespace

Result<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) return no_network(text, "it is not an address, nor one with '/' and a number of bits");
    if (slash == std::string_view::npos) return Network(*address, mask_of(v6_bits));
    const int most = address->is_v4() && text.find(':') == std::string_view::npos ? v4_bits : v6_bits;
    const auto bits = bits_of(text.substr(slash + 1), most);
    if (!bits) return no_network(text, "after '/' is a number up to " + std::to_string(most));
    const Address mask = mask_of(*bits + v6_bits - most), first = first_of(*address, mask);
    if (first != *address) return no_network(text, "the one that this address is in begins at " + first.text());
    return Network(first, mask);
}

bool Network::contains(const Address& address) const { return first_of(address, mask_) == first_; }

Result<Networks> Networks::parse(std::span<const std::string> texts) {
    Networks networks;
    for (const std::string& text : texts) {
        auto network = Network::parse(text);
        if (!network) return std::move(network).error();
        networks.networks_.push_back(*network);
    }
    return networks;
}

bool Networks::contains(const Address& address) const {
    return std::ranges::any_of(networks_, [&](const Network& network) { return network.contains(address); });
}

}  // namespace millrace::peer
