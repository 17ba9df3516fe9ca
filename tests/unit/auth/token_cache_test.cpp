// Tokens that are remembered: verified once, no longer than they say, no more than there is room for.
#include <gtest/gtest.h>

#include "millrace/core/auth.hpp"

namespace millrace::auth {
namespace {

using namespace std::chrono_literals;

// Takes every token for its own payload, and counts.
class CountingKeys final : public Keys {
public:
    [[nodiscard]] bool empty() const override { return false; }
    [[nodiscard]] Result<std::string> verify(std::string_view token) const override {
        ++verified;
        if (token == "bad") return Error::of(Fault::bad_jwt);
        return std::string(token);
    }
    [[nodiscard]] bool lack_key_of(std::string_view) const override { return false; }
    mutable int verified = 0;
};

class TokenCaches : public testing::Test {
protected:
    Result<IdentityPointer> ask(TokenCache& cache, const std::string& token, std::int64_t second = 1000) {
        const std::string value = "Bearer " + token;
        message::Request request;
        request.headers = {{"Authorization", value}};
        return cache.identify(request, keys, settings, WallTime(std::chrono::seconds(second)));
    }
    static std::string token(int number) { return R"({"role":"r)" + std::to_string(number) + R"("})"; }

    CountingKeys keys;
    config::AuthSettings settings;
};

TEST_F(TokenCaches, verify_a_token_once) {
    TokenCache cache(10);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(cache, token(7)).value()->role, "r7");
    EXPECT_EQ(keys.verified, 1);
    EXPECT_EQ(ask(cache, token(8)).value()->role, "r8");
    EXPECT_EQ(keys.verified, 2);
    cache.clear();
    EXPECT_EQ(ask(cache, token(7)).value()->role, "r7");
    EXPECT_EQ(keys.verified, 3);
}

TEST_F(TokenCaches, keep_no_refusal) {
    TokenCache cache(10);
    EXPECT_FALSE(ask(cache, "bad"));
    EXPECT_FALSE(ask(cache, "bad"));
    EXPECT_EQ(keys.verified, 2);
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(TokenCaches, look_at_the_times_of_a_token_each_time) {
    TokenCache cache(10);
    const std::string times = R"({"exp":2000,"nbf":900})";
    EXPECT_TRUE(ask(cache, times, 1000));
    EXPECT_TRUE(ask(cache, times, 2029));  // with its skew
    EXPECT_EQ(keys.verified, 1);
    EXPECT_EQ(ask(cache, times, 2031).error().message, "JWT expired");
    EXPECT_EQ(ask(cache, times, 869).error().message, "JWT not yet valid");
    EXPECT_TRUE(ask(cache, times, 870));
}

TEST_F(TokenCaches, are_bounded_and_keep_what_is_used) {
    TokenCache cache(4);
    for (int i = 0; i < 200; ++i) {
        EXPECT_TRUE(ask(cache, token(1000)));
        EXPECT_TRUE(ask(cache, token(i)));
        EXPECT_LE(cache.size(), 4U);
    }
    EXPECT_LE(keys.verified, 203);
}

TEST_F(TokenCaches, may_be_none) {
    TokenCache cache(0);
    EXPECT_TRUE(ask(cache, token(1)));
    EXPECT_TRUE(ask(cache, token(1)));
    EXPECT_EQ(keys.verified, 2);
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(TokenCaches, keep_no_giants) {
    TokenCache cache(4);
    const std::string giant = R"({"role":"r","x":")" + std::string(5000, 'x') + "\"}";
    EXPECT_TRUE(ask(cache, giant));
    EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace millrace::auth
