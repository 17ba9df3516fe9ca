// Any bytes as the path of the role claim, over claims that have something to find: a role, none, or an error.
#include "input.hpp"
#include "millrace/core/auth.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace millrace;
    config::AuthSettings settings;
    settings.jwt_role_claim = fuzz::text_of(data, size);
    const std::string claims =
        R"({"role":"web","a":{"b":[{"c":"x"},"y",["z"]]},"roles":["one","two"],"https://ours/role":"far"})";
    const auto identity = auth::check_claims(claims, settings, WallTime(std::chrono::seconds(1'700'000'000)));
    if (!identity)
        fuzz::check(identity.error().status >= 400);
    else if (!auth::valid_role_claim(settings.jwt_role_claim))
        fuzz::check(identity->role.empty());
    return 0;
}
