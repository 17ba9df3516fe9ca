// Plans that are used again: by the request's text, and by what a caller with a token asks for. Both are forgotten with their
// snapshot, and all at once when there are too many.
#include <utility>

#include "millrace/core/text.hpp"
#include "turn.hpp"

namespace millrace::app {
namespace {

constexpr std::size_t remembered_max = 4096;

bool has_ended(const pipeline::Work& work, WallTime now) {
    const auto& sunset = work.api->table().sunset;
    return sunset && now >= *sunset;
}

}  // namespace

RequestHandler::Work RequestHandler::recall(Turn& turn) {
    remember_key_.clear();
    pipeline::append_remember_key(remember_key_, turn.request, turn.values);
    const auto found = remembered_.find(remember_key_);
    return found == remembered_.end() || has_ended(*found->second, turn.wall) ? nullptr : found->second;
}

// recall() of the same request has just made the key. Forgetting all at once is crude and cheap: what is asked for again comes
// back at the price of one plan.
void RequestHandler::remember(const Work& work) {
    if (!work->repeatable) return;
    // Most keys of a large table are asked for once in a while: only what comes again soon is worth the memory.
    const std::uint64_t hash = text::hash64(remember_key_);
    if (std::exchange(seen_once_[hash % seen_once_.size()], hash) != hash) return;
    if (remembered_.size() >= remembered_max) remembered_.clear();
    remembered_.emplace(remember_key_, work);
}

// What a caller with a token has asked for before is looked up without being planned again.
Result<std::optional<message::Reply>> RequestHandler::known_hit(Turn& turn) {
    using Nothing = std::optional<message::Reply>;
    caller_key_.clear();
    if (turn.in_batch || !pipeline::has_caller_key(turn.request, *turn.identity)) return Nothing();
    pipeline::append_caller_key(caller_key_, turn.request, *turn.identity);
    const auto found = known_.find(caller_key_);
    if (found == known_.end() || has_ended(*found->second, turn.wall)) return Nothing();
    const Work& work = found->second;
    turn.label(*work->api, work->function == nullptr ? work->resource : nullptr, work->function);
    if (auto passed = pass_gate(turn, work->policies()); !passed) return std::move(passed).error();
    return hit_memory(turn, work);
}

// Its statements hold all that was said of the one request: they are not kept.
void RequestHandler::remember_caller(const pipeline::Work& work) {
    if (!work.cache || known_.contains(caller_key_)) return;
    auto known = std::make_shared<pipeline::Work>(work);
    known->script = {};
    known->on_standby.reset();
    if (known_.size() >= remembered_max) known_.clear();
    known_.emplace(caller_key_, std::move(known));
}

}  // namespace millrace::app
