// The gate: who asks, whether he may, and whether there are tokens for him. What has to be looked up is waited for here.
#include <algorithm>
#include <chrono>

#include "callers.hpp"
#include "millrace/io/net.hpp"
#include "turn.hpp"

namespace millrace::app {

namespace asio = boost::asio;

namespace {

constexpr Duration keys_wait_max = std::chrono::seconds(2);  // for published keys to be read
constexpr unsigned token_asks_max = 3;                       // others take what was asked for, if the limit is tight

}  // namespace

// Who is asking. Nothing: he has to be looked up.
std::optional<Result<auth::IdentityPointer>> RequestHandler::identify(const Turn& turn) {
    const config::AuthSettings& settings = turn.snapshot->settings.auth;
    if (settings.api_keys)
        if (const auto key = auth::api_key_of(turn.request))
            return callers_->find({*key, turn.request.peer, turn.began, turn.wall, cache_.fenced(turn.began)});
    auto identity = tokens_.identify(turn.request, *turn.snapshot->keys, settings, turn.wall);
    if (identity || settings.jwks_url.empty() || !auth::lacks_key(turn.request, *turn.snapshot->keys)) return identity;
    return std::nullopt;
}

// Postgres knows whose API key it is; a token's key may have been published a moment ago.
asio::awaitable<Result<auth::IdentityPointer>> RequestHandler::look_up(const Turn& turn) {
    const config::AuthSettings& settings = turn.snapshot->settings.auth;
    const auto key = settings.api_keys ? auth::api_key_of(turn.request) : std::nullopt;
    if (key) co_return co_await callers_->look_up(std::string(*key), std::string(turn.request.peer), turn.deadline);
    ask_for_keys_();
    const Deadline patience{std::min(turn.deadline.at, net::now() + keys_wait_max)};
    co_await keys_settled_.wait(patience);
    if (snapshot_->keys->empty()) co_return Error::of(Fault::identity_unavailable).with_header("Retry-After", "1");
    co_return tokens_.identify(turn.request, *snapshot_->keys, settings, turn.wall);
}

asio::awaitable<http::Outgoing> RequestHandler::answer_unknown(std::unique_ptr<Turn> turn, Admission::Ticket ticket) {
    auto identity = co_await look_up(*turn);
    if (!identity) co_return turn->outgoing(turn->failed(identity.error()));
    turn->identify(*std::move(identity));
    auto rest = go_on(std::move(turn), std::move(ticket));
    co_return co_await std::move(rest);
}

// Whose limits this worker has no tokens of gets some, and comes to the gate again.
asio::awaitable<http::Outgoing> RequestHandler::answer_with_tokens(std::unique_ptr<Turn> turn, Admission::Ticket ticket) {
    co_await ask_for_tokens(*turn);
    auto rest = go_on(std::move(turn), std::move(ticket));
    co_return co_await std::move(rest);
}

asio::awaitable<void> RequestHandler::ask_for_tokens(Turn& turn) {
    const Limits::Request request = turn.limited(*turn.lacks_tokens);
    turn.lacks_tokens = nullptr;
    ++turn.token_asks;
    co_await limits_->ask(request, turn.deadline);
    turn.began = net::now();
}

asio::awaitable<http::Outgoing> RequestHandler::go_on(std::unique_ptr<Turn> turn, Admission::Ticket ticket) {
    auto answer = answer_known(*turn, std::move(ticket));
    if (auto* there = std::get_if<http::Outgoing>(&answer)) co_return std::move(*there);
    auto later = std::get<asio::awaitable<http::Outgoing>>(std::move(answer));
    co_return co_await std::move(later);
}

// Once for each request, when it is known who asks and for what, and before anything is spent on it.
Result<void> RequestHandler::pass_gate(Turn& turn, const routes::ResolvedPolicies& policies) {
    if (turn.passed == &policies) return {};
    if (auto admitted = pipeline::admit(*turn.identity, policies, turn.snapshot->settings.auth); !admitted) return admitted;
    auto limited = pass_limits(turn, policies);
    if (limited) turn.passed = &policies;
    turn.answer_within(std::chrono::milliseconds(policies.timeout_ms));
    return limited;
}

Result<void> RequestHandler::pass_limits(Turn& turn, const routes::ResolvedPolicies& policies) {
    const Limits::Answer answer = limits_->take(turn.limited(policies));
    if (answer == Limits::Answer::ask && turn.token_asks < token_asks_max) {
        turn.lacks_tokens = &policies;
        return Error::of(Fault::rate_limited);
    }
    limits_->append_fields(turn.limit_fields);
    if (answer == Limits::Answer::pass) return {};
    Error error = limits_->refusal();
    observer_.on(events::LimitRefused{error.fault == Fault::quota_exceeded});
    return error;
}

Result<void> RequestHandler::pass_gate(Turn& turn, const routes::Match& match) {
    const config::AuthSettings& settings = turn.snapshot->settings.auth;
    if (match.unknown_function) return pipeline::admit_to_unknown(*turn.identity, *match.api, settings);
    if (match.resource != nullptr) return pass_gate(turn, match.resource->policies);
    if (match.function != nullptr) return pass_gate(turn, match.function->policies);
    if (match.upstream != nullptr) return pass_gate(turn, match.upstream->policies);
    return pipeline::admit_to_version(*turn.identity, *match.api, settings);
}

}  // namespace millrace::app
