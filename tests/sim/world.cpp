// What happens in a simulation, and when: writes, questions, failures; then a calm end in which all must be well again.
#include "world.hpp"

#include <algorithm>
#include <utility>

#include "replica.hpp"

namespace millrace::sim {
namespace {

constexpr Ms end_ms = 20'000, settle_ms = 24'000, proof_ms = 7'000;

constexpr std::array<std::string_view, 8> purge_tags = {"@v1/items",    "@v1/orders", "@v1/both", "@v1/notes",
                                                        "@v1/rpc/call", "@v1",        "*",        "@v1/items"};

Scenario scenario_of(Random& random) {
    Scenario scenario;
    scenario.decoding = random.one_in(3);
    scenario.roomy = !random.one_in(3);
    scenario.replicated_reads = random.one_in(3);
    scenario.slow_standby = random.one_in(2);
    scenario.quiet = random.one_in(3);
    scenario.stale_allowed = random.one_in(2);
    scenario.asynchronous_commits = random.one_in(2);
    scenario.hot = static_cast<Question>(random.pick(questions));
    scenario.calm = random.one_in(12);
    if (random.one_in(3)) scenario.channel_ms_max = 1'500;
    if (random.one_in(4)) scenario.read_ms_max = 1'200;
    if (random.one_in(4)) scenario.redis_ms_max = 40;
    if (random.one_in(3)) scenario.memory_bytes = 4'000;  // a few entries
    return scenario;
}

}  // namespace

World::World(std::uint64_t seed, Fault planted, bool traced)
    : random(seed),
      fault(planted),
      keys(sim::keys(planted)),
      scenario(scenario_of(random)),
      checker(*this),
      useful_(planted == Fault::none || planted == Fault::bare_xmin) {
    trace.on = traced;
    for (std::size_t i = 0; i < questions; ++i) tags[i] = tags_of(static_cast<Question>(i), fault);
    note(scenario.decoding ? "decoding" : "triggers", scenario.roomy ? "" : ", small fence",
         scenario.replicated_reads ? ", reads from a standby" : "", scenario.slow_standby ? ", slow standby" : "",
         scenario.quiet ? ", quiet" : "", scenario.stale_allowed ? ", stale allowed" : "",
         scenario.asynchronous_commits ? ", commits not flushed" : "", scenario.calm ? ", calm" : "");
    const std::size_t count = 2 + random.pick(2);
    for (std::size_t i = 0; i < count; ++i) replicas.push_back(join());
    if (random.one_in(2)) statement(postgres.begin(random.one_in(4)));  // stays open for long
}

World::~World() = default;

std::unique_ptr<Replica> World::join() {
    Replica::Bounds bounds{100'000, 8, 64};
    if (!scenario.roomy) bounds = {2 + random.pick(4), random.pick(3), random.pick(3)};
    note("replica ", joined_, " joins");
    return std::make_unique<Replica>(*this, joined_++, bounds);
}

std::string World::run() {
    scenario.quiet ? every(100, 2'000, &World::write) : every(20, 600, &World::write);
    every(20, 400, &World::ask);
    if (!scenario.calm) every(300, 6'000, &World::disturb);
    every(3'000, 16'000, &World::purge);
    while (checker.violated().empty() && agenda.step(end_ms)) {
    }
    settle();
    while (checker.violated().empty() && agenda.step(end_ms + settle_ms)) {
    }
    prove_useful();
    while (checker.violated().empty() && agenda.step(end_ms + settle_ms + proof_ms)) {
    }
    return checker.violated();
}

void World::every(Ms least, Ms most, void (World::*what)()) {
    agenda.after(random.between(least, most), nullptr, [this, least, most, what] {
        if (settling_) return;
        (this->*what)();
        every(least, most, what);
    });
}

Replica& World::any() { return *replicas[random.pick(replicas.size())]; }

// Some transaction goes one step further: it begins, writes, ends. The oldest is mostly left as it is.
void World::write() {
    postgres.replay(random.pick(scenario.slow_standby ? 2 : 4));
    if (!database_up) return;
    const auto open = postgres.open();
    if (open.empty() || (open.size() < 4 && random.one_in(2))) {
        const Xid xid = postgres.begin(random.one_in(5));
        if (!random.one_in(8)) statement(xid);
        return;
    }
    const std::size_t index = open.size() == 1 || random.one_in(12) ? 0 : 1 + random.pick(open.size() - 1);
    const Xid xid = open[index];
    if (index == 0 && open.size() == 1 && random.one_in(2)) return;
    if (random.one_in(4)) return statement(xid);
    if (random.one_in(6)) return postgres.abort(xid);
    commit(xid, random.one_in(2) ? &any() : nullptr);
}

// By key, with the tags of its rows; or at large, with the table alone.
void World::statement(Xid xid) {
    const Table& table = tables[random.pick(tables.size())];
    std::vector<std::size_t> touched;
    for (std::size_t i = 0; i < table.count; ++i)
        if (random.one_in(2)) touched.push_back(table.first + i);
    if (touched.empty()) touched.push_back(table.first);
    std::string word(table.name);
    if (!random.one_in(4)) {
        word.clear();
        for (const std::size_t cell : touched)
            word += (word.empty() ? "" : " ") + std::string(table.name) + '#' + std::string(rows[cell].bucket);
    }
    note("xid ", xid, " writes ", word);
    postgres.write(xid, touched, word);
}

void World::commit(Xid xid, Replica* writer) {
    const bool flush = scenario.decoding || !scenario.asynchronous_commits || random.one_in(2);
    const Announcement said = postgres.log_commit(xid, flush);
    note("xid ", xid, " commits");
    const auto become_visible = [this, said, writer, life = postgres.lives(), id = writer != nullptr ? writer->id() : 0] {
        if (life != postgres.lives()) return;
        postgres.reveal(said.xid);
        if (!scenario.decoding) announce(said);
        if (writer == nullptr || !writer->alive()) return;
        agenda.after(random.between(1, 30), nullptr, [this, said, writer, life] {
            if (life != postgres.lives() || !writer->alive()) return;
            writer->wrote(said);
            tokens.push_back({said.xid, life, said.changes});
        });
    };
    if (!scenario.decoding) return become_visible();
    announce(said);
    agenda.after(random.one_in(2) ? random.between(1, 1'500) : 0, nullptr, become_visible);
}

void World::announce(const Announcement& said) {
    for (const auto& replica : replicas) replica->hear(said);
}

// A transaction like any other, with a NOTIFY and nothing else. DDL looks the same.
void World::purge() {
    if (!database_up) return;
    const std::string_view tag = purge_tags[random.pick(purge_tags.size())];
    const bool hard = random.one_in(2);
    const Xid xid = postgres.begin(false);
    postgres.write(xid, {}, (hard ? "!" : "") + std::string(tag));
    Announcement said = postgres.log_commit(xid, true);
    postgres.reveal(xid);
    said.at = now();
    said.tag = tag;
    said.hard = hard;
    note("purge of ", tag, hard ? ", hard" : "", ", xid ", xid);
    for (std::size_t i = 0; i < questions; ++i)
        if (said.purges(static_cast<Question>(i))) checker.purged(static_cast<Question>(i), hard);
    announce(said);
}

void World::ask() {
    auto question = static_cast<Question>(random.pick(questions));
    Identity who{static_cast<std::uint8_t>(random.pick(2)), static_cast<std::uint8_t>(random.pick(2))};
    if (random.one_in(2)) {
        question = scenario.hot;
        who = {};
    }
    const Token* token = nullptr;
    if (!tokens.empty() && random.one_in(3))
        token = &tokens[tokens.size() - 1 - random.pick(std::min<std::size_t>(tokens.size(), 3))];
    const std::size_t times = random.one_in(4) ? 3 : 1;
    Replica& replica = any();
    if (random.one_in(8)) return replica.ask_anew(question, who);
    for (std::size_t i = 0; i < times; ++i) replica.ask(question, who, token);
}

void World::disturb() {
    switch (random.pick(9)) {
        case 0:
            return interrupt(true);
        case 1:
            return interrupt(false);
        case 2: {
            note("Redis goes down");
            redis.up = false;
            if (random.one_in(2)) redis.flush(now());
            agenda.after(random.between(100, 4'000), nullptr, [this] { redis.up = true; });
            return;
        }
        case 3:
            note("Redis is flushed");
            return redis.flush(now());
        case 4: {
            Replica& replica = any();
            note("replica ", replica.id(), " stops for a while");
            return replica.pause(random.between(100, 8'000));
        }
        case 5: {
            const std::size_t index = random.pick(replicas.size());
            note("replica ", replicas[index]->id(), " dies");
            replicas[index]->die();
            dead_.push_back(std::exchange(replicas[index], join()));
            return;
        }
        case 6:
            if (replicas.size() < 4) replicas.push_back(join());
            return;
        default: {
            Replica& replica = any();
            note("replica ", replica.id(), " loses its channel");
            return replica.lose_channel();
        }
    }
}

// The primary is gone for a while. Everybody's channel is, too.
void World::interrupt(bool failover) {
    if (!database_up) return;
    note(failover ? "failover" : "crash");
    database_up = false;
    for (const auto& replica : replicas) replica->lose_channel();
    agenda.after(random.one_in(4) ? random.between(3'000, 14'000) : random.between(0, 3'000), nullptr, [this, failover] {
        failover ? postgres.fail_over() : postgres.crash();
        checker.forget_purges();
        database_up = true;
        note("the database is back: ", postgres.timeline(), ".", postgres.crashes(), " at ", postgres.snapshot().to_string());
    });
}

// Nothing more is written, nothing fails: what is still underway arrives.
void World::settle() {
    settling_ = true;
    scenario.calm = true;
    redis.up = true;
    note("calm");
}

// Nothing is refused, or stale, for ever: at the latest the third time a question is answered from the cache.
void World::prove_useful() {
    if (!useful_) return;
    for (const auto& replica : replicas) {
        if (!replica->trusted()) return checker.fail("useful", "a replica is unfenced though all is calm");
        if (!scenario.roomy || replica->carries_over() || scenario.memory_bytes < 10'000) continue;  // it may have to forget
        const auto question = static_cast<Question>(random.pick(questions));
        replica->ask(question, {}, nullptr);
        // Its time may be over just at the second.
        const std::uint64_t hits = replica->hits();
        agenda.after(3'000, nullptr, [question, &asked = *replica] { asked.ask(question, {}, nullptr); });
        agenda.after(6'000, nullptr, [this, question, hits, &asked = *replica] {
            asked.ask(question, {}, nullptr);
            const bool may_refuse = asked.carries_over();  // a peer that it joined meanwhile may have told it so
            if (asked.hits() == hits && !may_refuse) checker.fail("useful", "no hit for replica " + std::to_string(asked.id()));
        });
    }
}

}  // namespace millrace::sim
