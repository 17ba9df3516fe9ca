// What Redis answers.
#include "redis.hpp"

#include <utility>

namespace millrace::sim {

const Redis::Stored* Redis::get(const std::string& name, Ms now) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return nullptr;
    if (found->second.expires > now) return &found->second;
    entries_.erase(found);
    return nullptr;
}

bool Redis::set(const std::string& name, std::string order, std::string bytes, Ms expires, bool newer_wins) {
    Stored& place = entries_[name];
    if (newer_wins && order < place.order) return false;
    place = {name, std::move(order), std::move(bytes), expires};
    return true;
}

bool Redis::lease(const std::string& name, int owner, Ms now, Ms length) {
    Lease& lease = leases_[name];
    if (lease.expires > now) return false;
    lease = {owner, now + length};
    return true;
}

void Redis::release(const std::string& name, int owner, bool whosever) {
    const auto found = leases_.find(name);
    if (found != leases_.end() && (whosever || found->second.owner == owner)) leases_.erase(found);
}

}  // namespace millrace::sim
