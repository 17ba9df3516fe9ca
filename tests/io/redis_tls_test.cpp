// Encrypted links: to whom we talk is proved, or we do not talk.
#include <gtest/gtest.h>

#include "redis_fixture.hpp"
#include "redis_topologies.hpp"

namespace millrace::redis::test {
namespace {

const support::Certificates& certificates() {
    static const support::Certificates all;
    return all;
}

struct EncryptedServer {
    std::uint16_t port = support::free_port();
    support::Redis server;

    explicit EncryptedServer(const std::string& clients_prove_themselves = "no")
        : server({"--tls-port", std::to_string(port), "--tls-cert-file", certificates().file("server.crt"), "--tls-key-file",
                  certificates().file("server.key"), "--tls-ca-cert-file", certificates().file("ca.crt"), "--tls-auth-clients",
                  clients_prove_themselves}) {}

    config::RedisSettings settings() const {
        config::RedisSettings settings;
        settings.url = "rediss://127.0.0.1:" + std::to_string(port);
        settings.tls_ca_file = certificates().file("ca.crt");
        return settings;
    }
};

// Why no connection comes about.
std::string refused(const config::RedisSettings& settings) {
    Linked linked(address_of(settings).value());
    if (!linked.until([&] { return !linked.observer.reasons.empty() || linked.link.up(); })) return "nothing was told";
    return linked.link.up() ? "it is up" : linked.observer.reasons.front();
}

}  // namespace

TEST(RedisTls, carries_commands_large_values_and_messages) {
    EncryptedServer encrypted;
    const Address address = address_of(encrypted.settings()).value();
    Linked linked(address);
    ASSERT_TRUE(linked.until_up());
    const std::string large(3'000'000, 'x');
    const std::array<std::string_view, 3> set = {"SET", "large", large};
    linked.link.post(set);
    EXPECT_EQ(linked.command({"GET", "large"}).value().text, large);

    std::vector<std::string> heard;
    bool subscribed = false;
    Messages messages;
    messages.message = [&](std::string_view, std::string_view payload) { heard.emplace_back(payload); };
    messages.subscribed = [&] { subscribed = true; };
    messages.lost = [](std::string_view) {};
    Subscription subscription(linked.context, address, {"one"}, messages, linked.observer);
    subscription.start();
    ASSERT_TRUE(linked.until([&] { return subscribed; }));
    EXPECT_EQ(linked.command({"PUBLISH", "one", "hello"}).value().integer, 1);
    EXPECT_TRUE(linked.until([&] { return heard == std::vector<std::string>{"hello"}; }));
}

TEST(RedisTls, comes_back_after_a_restart) {
    EncryptedServer encrypted;
    Linked linked(address_of(encrypted.settings()).value());
    ASSERT_TRUE(linked.until_up());
    encrypted.server.kill9();
    ASSERT_TRUE(linked.until([&] { return !linked.link.up(); }));
    encrypted.server.start();
    ASSERT_TRUE(linked.until_up());
    EXPECT_EQ(linked.command({"PING"}).value().text, "PONG");
}

TEST(RedisTls, a_certificate_that_nobody_we_trust_has_signed_is_refused) {
    EncryptedServer encrypted;
    config::RedisSettings settings = encrypted.settings();
    settings.tls_ca_file = certificates().file("other-ca.crt");
    EXPECT_TRUE(refused(settings).starts_with("TLS: ")) << refused(settings);
    settings.tls_ca_file.clear();  // the system's
    EXPECT_TRUE(refused(settings).starts_with("TLS: ")) << refused(settings);
}

TEST(RedisTls, a_certificate_of_another_name_is_refused) {
    EncryptedServer encrypted;
    config::RedisSettings settings = encrypted.settings();
    settings.tls_server_name = "other.test";
    EXPECT_TRUE(refused(settings).starts_with("TLS: ")) << refused(settings);
    settings.tls_server_name = "cache.test";
    EXPECT_EQ(refused(settings), "it is up");
}

TEST(RedisTls, a_server_that_asks_who_we_are_is_told) {
    EncryptedServer encrypted("yes");
    config::RedisSettings settings = encrypted.settings();
    EXPECT_NE(refused(settings), "it is up");
    settings.tls_cert_file = certificates().file("client.crt");
    settings.tls_key_file = certificates().file("client.key");
    EXPECT_EQ(refused(settings), "it is up");
}

TEST(RedisTls, a_server_without_it_is_refused_and_so_is_an_address_without_certificates) {
    EncryptedServer encrypted;
    config::RedisSettings settings = encrypted.settings();
    settings.url = "rediss://127.0.0.1:" + std::to_string(encrypted.server.port());
    EXPECT_NE(refused(settings), "it is up");
    Linked linked(parse_url(encrypted.settings().url).value());
    ASSERT_TRUE(linked.until([&] { return !linked.observer.reasons.empty(); }));
    EXPECT_EQ(linked.observer.reasons.front(), "TLS was asked for without certificates");
}

}  // namespace millrace::redis::test
