// G1 to G6, one by one.
#include "checker.hpp"

#include "world.hpp"

namespace millrace::sim {

using cache::Use;

void Checker::fail(std::string_view guarantee, const std::string& why) {
    if (violated_.empty()) violated_ = std::string(guarantee) + " at " + std::to_string(world_.now()) + "ms: " + why;
}

bool Checker::older(Version version, Version than) const { return version < than && !world_.history.lost(than); }

void Checker::given(const Given& answer, Knowledge& replica) {
    ++(answer.use == Use::fresh ? counts.fresh : counts.stale);
    const Answer body = Answer::from_bytes(*answer.entry->body);
    check_identity(answer, body);
    check_age(answer, body);
    check_bound(answer, body);
    check_order(answer, body, replica);
    check_writes(answer, body, replica);
}

// G4: what depends on who asks is given to those for whom it was read.
void Checker::check_identity(const Given& answer, const Answer& body) {
    if (body.question != answer.question) fail("G4", "the answer to another question");
    if (body.who.role != answer.who.role) fail("G4", "the answer for another role");
    if (by_claims(answer.question) && body.who.claim != answer.who.claim) fail("G4", "the answer for other claims");
}

// G5: clocks may differ; the age is that of the read, whoever made it and wherever the answer has been since.
void Checker::check_age(const Given& answer, const Answer& body) {
    const Ms age = world_.now() - body.began;
    const Ms said = answer.age_s * 1'000;
    if (said + 1'000 + 2 * skew_ms_max <= age) fail("G5", "Age is too low");
    if (said > age + 2 * skew_ms_max) fail("G5", "Age is too high");
}

// G1: what was current since the bound. What has no tags may be as old as its time allows; what is given as stale was known to
// be valid so and so long ago at most.
void Checker::check_bound(const Given& answer, const Answer& body) {
    Ms bound = by_time_alone(answer.question) ? fresh_ms + skew_ms_max * 2 : bound_ms;
    if (answer.use == Use::stale) bound += while_revalidate_ms + 2 * skew_ms_max;
    if (answer.use == Use::spare) bound += if_error_ms + 2 * skew_ms_max;
    const Ms since = world_.now() - bound;
    for (const std::size_t cell : cells_of(answer.question, answer.who)) {
        if (!world_.history.current_since(cell, body.values[cell], since))
            fail("G1", "cell " + std::to_string(cell) + " as version " + std::to_string(body.values[cell]) +
                           ", not current for more than " + std::to_string(bound) + "ms");
    }
    if (answer.use == Use::fresh && body.read < last_purge(answer.question, false, world_.now() - bound_ms))
        fail("G1", "purged longer ago than the bound");
}

// G2: nothing older than what this replica has heard of; and for one key nothing older than what it gave before, for as long
// as that is in its memory. The second is not promised of reads from a standby, whose snapshots say less than they have seen,
// nor by who has not noticed yet that the database lives another life: snapshots of two lives have no order.
void Checker::check_order(const Given& answer, const Answer& body, Knowledge& replica) {
    const auto place = static_cast<std::size_t>(answer.question);
    if (body.read < replica.purged_hard[place]) fail("G1", "given after a hard purge was heard of");
    if (answer.use != Use::fresh) return;
    if (body.read < replica.purged[place]) fail("G1", "given as fresh after a purge was heard of");
    if (by_time_alone(answer.question)) return;
    const bool ordered = !world_.scenario.replicated_reads && replica.life == world_.postgres.lives();
    Values& before = replica.given[place_of(answer.question, answer.who)];
    for (const std::size_t cell : cells_of(answer.question, answer.who)) {
        if (older(body.values[cell], replica.heard[cell])) fail("G2", "older than what was heard of");
        if (ordered && older(body.values[cell], before[cell])) fail("G2", "older than what was given before");
    }
    before = body.values;
}

// G3: with the token, on every replica; without it, where the write was made.
void Checker::check_writes(const Given& answer, const Answer& body, const Knowledge& replica) {
    const bool by_tags = !by_time_alone(answer.question);
    for (const std::size_t cell : cells_of(answer.question, answer.who)) {
        const auto& [own, life] = replica.own[cell];
        if (by_tags && answer.use == Use::fresh && life == replica.life && older(body.values[cell], own))
            fail("G3", "older than what this replica wrote");
        if (answer.token == nullptr || answer.token->life != replica.life) continue;
        for (const Change& change : answer.token->changes)
            if (change.cell == cell && older(body.values[cell], change.version))
                fail("G3", "older than what the token stands for");
    }
}

// As above: who has not noticed a failover stores answers of the new life under the old epoch.
void Checker::in_redis(const Answer& before, const Answer& after) {
    if (by_time_alone(before.question) || world_.scenario.replicated_reads || before.epoch != after.epoch) return;
    for (const std::size_t cell : cells_of(before.question, before.who))
        if (older(after.values[cell], before.values[cell])) fail("G2", "an older entry took the place of a newer one in Redis");
}

// G6: one in a process; and one in the cluster by lease, for as long as the lease lasts and Redis remembers it.
void Checker::fill_begins(int replica, std::size_t place, const std::string& name, Ms leased) {
    ++counts.fills;
    if (++filling_[{replica, place}] > 1) fail("G6", "two fills of one key in one replica");
    const auto lasts = [this](Ms since) { return since + lease_ms > world_.now() && since > world_.redis.emptied_at; };
    if (leased == 0 || !lasts(leased)) return;
    for (const Ms other : leased_[name])
        if (lasts(other)) fail("G6", "two replicas fill by lease");
    leased_[name].push_back(leased);
}

void Checker::fill_ends(int replica, std::size_t place, const std::string& name, Ms leased) {
    if (const auto found = filling_.find({replica, place}); found != filling_.end() && --found->second == 0)
        filling_.erase(found);
    if (leased != 0) std::erase(leased_[name], leased);
}

void Checker::purged(Question question, bool hard) {
    purges_[static_cast<std::size_t>(question)].push_back({world_.now(), hard});
}

Ms Checker::last_purge(Question question, bool hard, Ms until) const {
    Ms last = 0;
    for (const Purge& purge : purges_[static_cast<std::size_t>(question)])
        if (purge.at <= until && (purge.hard || !hard)) last = purge.at;
    return last;
}

}  // namespace millrace::sim
