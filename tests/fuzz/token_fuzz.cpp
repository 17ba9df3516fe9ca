// Any bytes as a token, as claims and as a JWKS: nothing crashes, and nothing is verified that was not signed.
#include <cstdint>
#include <cstdlib>

#include "millrace/core/auth.hpp"

namespace {

using namespace millrace;

const auth::Keys& keys() {
    static const auto read = auth::Keys::read(
        R"({"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},)"
        R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})",
        false);
    return **read;
}

// The only signed tokens that a corpus may hold are those of RFC 7515, whose payload is this.
bool known(const std::string& payload) { return payload.find("\"iss\":\"joe\"") != std::string::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    if (const auto payload = keys().verify(input); payload && !known(*payload)) std::abort();
    const auto middle = input.find('\n');
    config::AuthSettings settings;
    settings.jwt_role_claim = input.substr(0, middle);
    settings.jwt_audience = "ours";
    const std::string claims = middle == std::string::npos ? input : input.substr(middle + 1);
    const auto identity = auth::check_claims(claims, settings, WallTime(std::chrono::seconds(1'700'000'000)));
    if (!identity && identity.error().status < 400) std::abort();
    if (input.size() < 4096) (void)auth::Keys::read(input, false).has_value();
    return 0;
}
