// What the gate costs a request that passes: an API key that is known, the route's rules, tokens of two limits, and the fields
// that tell of them.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <unordered_map>

#include "millrace/core/pipeline.hpp"
#include "millrace/core/rate.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

struct Door {
    Door() {
        std::array<unsigned char, auth::api_key_random_bytes> random{};
        random.fill(7);
        const auth::NewApiKey made = auth::make_api_key(random);
        value = "Bearer " + made.key;
        request.headers = {{"Host", "localhost"}, {"Authorization", value}};
        request.peer = "192.0.2.1";
        known.emplace(made.hash, auth::identity_of({made.id, "web_user", "orders:read", "pro"}));
        policies.access = routes::Access::identified;
        policies.scopes = {"orders:read"};
        rules = {*rate::parse_rule("1000000/second by key"), *rate::parse_rule("1000000000/hour by ip")};
    }

    bool pass() {
        const auto key = auth::api_key_of(request);
        if (!key || !auth::may_be_api_key(*key)) return false;
        const auto found = known.find(auth::api_key_hash(*key));
        if (found == known.end() || !pipeline::admit(*found->second, policies, settings)) return false;
        std::string fields;
        for (const rate::Rule& rule : rules) {
            rate::Lease& lease = leases.at(rule.text + "\n" + rate::subject_of(rule, *found->second, request.peer));
            if (lease.look(1, now) == rate::Lease::Answer::ask) lease.grant({1'000'000'000, 1'000'000, {}}, now);
            lease.take(1, now);
            fields = rate::state_item(rule.text, lease.remaining(), 1s);
        }
        benchmark::DoNotOptimize(fields);
        return true;
    }

    std::string value;
    message::Request request;
    std::unordered_map<std::string, std::optional<auth::Identity>> known;
    routes::ResolvedPolicies policies;
    config::AuthSettings settings;
    std::vector<rate::Rule> rules;
    rate::Leases leases{1000};
    TimePoint now{1h};
};

void gate_passed(benchmark::State& state) {
    Door door;
    if (!door.pass()) state.SkipWithError("refused");
    for (auto _ : state) benchmark::DoNotOptimize(door.pass());
}
BENCHMARK(gate_passed);

}  // namespace
}  // namespace millrace
