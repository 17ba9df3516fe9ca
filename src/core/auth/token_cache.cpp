// Remembers what verified tokens said, so that a token that comes again costs a look-up instead of a signature.
#include <utility>

#include "bearer.hpp"
#include "millrace/core/auth.hpp"

namespace millrace::auth {
namespace {

constexpr std::size_t remembered_token_bytes_max = 4096;  // longer ones are rare and would fill the memory of the others

}  // namespace

Result<IdentityPointer> TokenCache::identify(const message::Request& request, const Keys& keys,
                                             const config::AuthSettings& settings, WallTime now) {
    const auto token = bearer_token(request.header("Authorization"));
    if (!token) return unnamed();
    if (auto known = find(*token, now)) return known;
    auto judged = judge(*token, keys, settings, now);
    if (!judged) return std::move(judged).error();
    auto identity = std::make_shared<const Identity>(*std::move(judged));
    if (entries_max_ > 0 && token->size() <= remembered_token_bytes_max) add(*token, identity);
    return IdentityPointer(std::move(identity));
}

// A token whose time has passed, or whose time has not come because the clock was set back, is judged anew.
IdentityPointer TokenCache::find(std::string_view token, WallTime now) {
    const auto found = by_token_.find(token);
    if (found == by_token_.end()) return nullptr;
    Entry& entry = *found->second;
    if (now < entry.identity->not_before || now >= entry.identity->expires) return nullptr;
    entry.used = true;
    return entry.identity;
}

void TokenCache::add(std::string_view token, const IdentityPointer& identity) {
    if (const auto found = by_token_.find(token); found != by_token_.end()) {
        found->second->identity = identity;
        return;
    }
    while (entries_.size() >= entries_max_) evict();
    entries_.push_front({std::string(token), identity, false});
    by_token_.emplace(entries_.front().token, entries_.begin());
}

// SIEVE (Zhang et al., NSDI 2024): the hand goes from the oldest to the newest, spares once what was used, and stays where it
// is.
void TokenCache::evict() {
    while (true) {
        if (hand_ == entries_.end()) hand_ = std::prev(entries_.end());
        if (!std::exchange(hand_->used, false)) break;
        hand_ = hand_ == entries_.begin() ? entries_.end() : std::prev(hand_);
    }
    const auto victim = hand_;
    hand_ = victim == entries_.begin() ? entries_.end() : std::prev(victim);
    by_token_.erase(victim->token);
    entries_.erase(victim);
}

void TokenCache::clear() {
    by_token_.clear();
    entries_.clear();
    hand_ = entries_.end();
}

}  // namespace millrace::auth
