// Whose connection and whose request it is: addresses, the networks that are believed, and what proxies say of who is behind
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"

namespace millrace::peer {

// An IP address. One of IPv4 is kept as IPv6 has it (::ffff:192.0.2.1, RFC 4291 §2.5.5.2), so that the two are the same client.
class Address {
public:
    using V4 = std::array<unsigned char, 4>;
    using V6 = std::array<unsigned char, 16>;

    Address() = default;  // ::
    explicit Address(const V4& bytes);
    explicit Address(const V6& bytes) : bytes_(bytes) {}
    // Neither port nor brackets nor zone; nothing when it is none.
    static std::optional<Address> parse(std::string_view text);

    [[nodiscard]] bool is_v4() const;
    [[nodiscard]] std::string text() const;  // RFC 5952, so that an address has one form
    [[nodiscard]] const V6& bytes() const { return bytes_; }
    bool operator==(const Address&) const = default;

private:
    V6 bytes_{};
};

// "10.0.0.0/8", "2001:db8::/32", or one address.
class Network {
public:
    static Result<Network> parse(std::string_view text);
    [[nodiscard]] bool contains(const Address& address) const;

private:
    Network(const Address& first, const Address& mask) : first_(first), mask_(mask) {}
    Address first_, mask_;
};

class Networks {
public:
    // Fails with what is wrong with the first that is none.
    static Result<Networks> parse(std::span<const std::string> texts);
    [[nodiscard]] bool contains(const Address& address) const;

private:
    std::vector<Network> networks_;
};

// The header of the PROXY protocol (haproxy.org, proxy-protocol.txt, versions 1 and 2) with which a proxy begins a connection,
// as it comes in: it ends where it says, and what follows it is not looked at.
class ProxyHeader {
public:
    static constexpr std::size_t bytes_max = 4096;  // version 2 with what is told beside the addresses; version 1 has 107

    // How many of these bytes are the header's: all of them, unless it ended before. Fails at the first byte that cannot be.
    [[nodiscard]] Result<std::size_t> feed(std::string_view bytes);
    [[nodiscard]] bool done() const { return done_; }
    [[nodiscard]] bool begun() const { return !header_.empty(); }
    // Who is behind the proxy. Nothing: the connection is the proxy's own (LOCAL), or it does not say (UNKNOWN, UNSPEC, UNIX).
    [[nodiscard]] const std::optional<Address>& client() const { return client_; }

private:
    [[nodiscard]] bool take(char c);
    [[nodiscard]] bool take_text(char c);
    [[nodiscard]] bool take_binary();
    [[nodiscard]] bool read_text();
    [[nodiscard]] bool read_head();
    void read_addresses();

    std::string header_;
    std::size_t length_ = 0;  // of all of version 2, once it is known
    bool done_ = false;
    std::optional<Address> client_;
};

// At the other end of a connection, or behind it.
struct Client {
    Address address;
    bool encrypted = false;  // he used TLS
};
// The client of a request that came from `peer`: while who tells is trusted, the one before him, by X-Forwarded-For or, where
// there is none, by Forwarded (RFC 7239). It is the last address that nobody trusted vouches for any more; so whatever the
// client itself sent, or a proxy that is not trusted, is not believed. Whether he used TLS a trusted `peer` tells by
// X-Forwarded-Proto or, where it has neither this nor X-Forwarded-For, by Forwarded; else it is what the connection itself is.
[[nodiscard]] Client client_of(const message::Request& request, const Client& peer, const Networks& trusted);

}  // namespace millrace::peer
