// What the gateway's duties cost a request that passes all of them: whose address it is, admission, an API key that is known,
// the route's rules, tokens of two limits and the fields that tell of them, how long the client waits, the breaker and the
// retry budget of what it is sent to, how many statements may be underway, and the metrics.
#include <benchmark/benchmark.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>

#include "limits.hpp"
#include "millrace/app/admission.hpp"
#include "millrace/core/congestion.hpp"
#include "millrace/core/peer.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"
#include "millrace/io/telemetry.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

config::Settings limited_settings() {
    config::Settings settings;
    settings.limits.rules = {"1000000000/second by key", "1000000000/hour by ip"};
    return settings;
}

class Gateway {
public:
    Gateway() {
        std::array<unsigned char, auth::api_key_random_bytes> random{};
        random.fill(7);
        const auth::NewApiKey made = auth::make_api_key(random);
        authorization_ = "Bearer " + made.key;
        request_.headers = {{"Host", "localhost"},
                            {"Authorization", authorization_},
                            {"X-Forwarded-For", "192.0.2.1"},
                            {"Request-Timeout", "2.5"}};
        known_.emplace(made.hash,
                       std::make_shared<const auth::Identity>(auth::identity_of({made.id, "web_user", "orders:read", "pro"})));
        policies_.access = routes::Access::identified;
        policies_.scopes = {"orders:read"};
    }

    bool find_client() {
        client_ = peer::client_of(request_, {proxy_}, trusted_).address.text();
        request_.peer = client_;
        return true;
    }
    bool pass_admission() { return admission_.admit(request_.peer, now_).has_value() && !admission_.full(); }
    bool pass_gate() {
        const auto key = auth::api_key_of(request_);
        if (!key || !auth::may_be_api_key(*key)) return false;
        const auto found = known_.find(auth::api_key_hash(*key));
        if (found == known_.end()) return false;
        identity_ = found->second;
        return pipeline::admit(*identity_, policies_, settings_.auth).has_value();
    }
    bool pass_limits() {
        const app::Limits::Request asking{policies_, "v1", "orders", *identity_, request_.peer, now_};
        if (limits_.take(asking) != app::Limits::Answer::pass) return false;
        message::HeaderBlock fields;
        limits_.append_fields(fields);
        benchmark::DoNotOptimize(fields);
        return true;
    }
    bool pass_load_and_faults() {
        now_ += 10us;
        retries_.requested();
        const bool allowed = congestion::patience_of(request_).has_value() && breaker_.allows(now_) && limit_.limit() > 0;
        limit_.finished(1, 200us, 4, now_);
        breaker_.reset();
        return allowed;
    }
    bool count() {
        events::RequestFinished finished;
        finished.version = "v1";
        finished.route = "orders";
        finished.status = 200;
        finished.bytes_out = 200;
        finished.total = 300us;
        telemetry_.recorder.on(finished);
        telemetry_.recorder.on(events::LaneWaited{events::LaneClass::fast, 1us});
        telemetry_.recorder.on(events::StatementFinished{events::LaneClass::fast, 200us, false});
        return true;
    }

private:
    struct Counting {
        config::LogSettings silent{.level = "error"};
        telemetry::Telemetry all{silent};
        events::Observer& recorder = all.recorder();
    };

    const config::Settings settings_ = limited_settings();
    boost::asio::io_context loop_;
    Counting telemetry_;
    net::TaskGroup background_{loop_, telemetry_.recorder};
    app::Admission admission_{settings_.limits};
    app::Limits limits_{settings_, {nullptr, background_, telemetry_.recorder}};
    policy::Breaker breaker_{5, 1s};
    policy::RetryBudget retries_{10};
    congestion::ConcurrencyLimit limit_{{1, 64, 2ms}};
    peer::Networks trusted_ = *peer::Networks::parse(std::array<std::string, 1>{"127.0.0.0/8"});
    const peer::Address proxy_ = *peer::Address::parse("127.0.0.1");

    std::string authorization_, client_;
    message::Request request_;
    std::map<text::Sha256, auth::IdentityPointer> known_;
    routes::ResolvedPolicies policies_;
    auth::IdentityPointer identity_;
    TimePoint now_{1h};
};

using Duty = bool (Gateway::*)();
constexpr std::array<Duty, 6> duties = {&Gateway::find_client, &Gateway::pass_admission,       &Gateway::pass_gate,
                                        &Gateway::pass_limits, &Gateway::pass_load_and_faults, &Gateway::count};

void gateway_passed(benchmark::State& state) {
    Gateway gateway;
    for (auto _ : state)
        for (const Duty duty : duties)
            if (!(gateway.*duty)()) state.SkipWithError("refused");
}
BENCHMARK(gateway_passed);

// Each alone, after all have run once.
void gateway_duty(benchmark::State& state) {
    Gateway gateway;
    for (const Duty duty : duties) (void)(gateway.*duty)();
    const Duty measured = duties.at(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state)
        if (!(gateway.*measured)()) state.SkipWithError("refused");
}
BENCHMARK(gateway_duty)->DenseRange(0, duties.size() - 1);

}  // namespace
}  // namespace millrace
