// What a token costs each time it comes: verified, or remembered.
#include <benchmark/benchmark.h>

#include "millrace/core/auth.hpp"
#include "signer.hpp"

namespace millrace::auth {
namespace {

constexpr std::string_view secret = "reallyreallyreallyreallyverysafe";

void identify_hs256(benchmark::State& state, std::size_t entries) {
    const auto keys = Keys::read(secret, false);
    const config::AuthSettings settings;
    const std::string value = "Bearer " + testing::hs256(secret, R"({"role":"web_user","exp":9999999999,"sub":"5f1c"})");
    message::Request request;
    request.headers = {{"Host", "localhost"}, {"Authorization", value}};
    TokenCache cache(entries);
    const WallTime now{std::chrono::seconds(1'800'000'000)};
    for (auto _ : state) benchmark::DoNotOptimize(cache.identify(request, **keys, settings, now));
}
BENCHMARK_CAPTURE(identify_hs256, verified, 0U);
BENCHMARK_CAPTURE(identify_hs256, remembered, 1000U);

}  // namespace
}  // namespace millrace::auth
