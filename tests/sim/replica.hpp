// One replica: a real fence, a real store, and the order in which it does things around them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checker.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/fence.hpp"
#include "postgres.hpp"
#include "world.hpp"

namespace millrace::sim {

class Replica {
public:
    struct Bounds {
        std::size_t tags, ring, pending;
    };
    Replica(World& world, int id, Bounds bounds);

    // What the database and the network do to it.
    void hear(const Announcement& said);
    void lose_channel();  // what was underway is lost; it is noticed later, or by silence
    void pause(Ms length) { process_.stopped_until = world_.now() + length; }
    void die() { process_.dead = true; }
    [[nodiscard]] bool alive() const { return !process_.dead; }

    void ask(Question question, Identity who, const Token* token);
    // Past what is kept, but what comes of it is kept (no-cache): so two reads of one key may be underway.
    void ask_anew(Question question, Identity who);
    // It made this write, and answers now.
    void wrote(const Announcement& said);

    [[nodiscard]] bool trusted() const;
    // What it heard of another life of the database, and could not know to be of that, it may take for new: it refuses more.
    [[nodiscard]] bool carries_over() const { return carries_over_; }
    [[nodiscard]] int id() const { return id_; }
    [[nodiscard]] std::uint64_t hits() const { return hits_; }

private:
    // --- hearing: the channel, beats, gaps, the epoch
    struct Message {
        Announcement said;  // of an invalidation
        bool beat = false;
        std::uint64_t number = 0;
    };
    struct Beat {
        bool underway = false;
        std::uint64_t number = 0;
        Ms began = 0;
        PgSnapshot snapshot;
    };
    void connect();
    void take_since();
    void read_catalog();
    void catch_up();
    void end_gap();
    void notice_loss();
    void push(Message message);
    void deliver();
    void apply(const Announcement& said);
    void learn(const Announcement& said);  // so that its answers may be judged by it
    void begin_beat();
    void send_beat();
    void watch_beat(std::uint64_t number);
    void take_beat();
    void peers(bool fresh);
    [[nodiscard]] std::string epoch_of(std::uint32_t timeline, std::uint32_t crashes) const;
    void set_epoch(std::uint32_t timeline, std::uint32_t crashes);

    // --- asking
    struct Waiter {
        Question question{};
        Identity who;
        const Token* token = nullptr;
        int asked = 0;
    };
    struct Flight {
        Waiter leader;
        std::vector<Waiter> waiters;
        Ms began = 0, leased = 0;
        unsigned asks = 0;
        std::string name;  // in Redis, of its epoch then
        int owner = 0;
        bool alone = false;  // nobody waits for it
    };
    using FlightPointer = std::shared_ptr<Flight>;
    void ask(const Waiter& waiter);
    void lead(const std::string& key, const Waiter& waiter);
    void ask_redis(const std::string& key, const FlightPointer& flight);
    void hear_redis(const std::string& key, const FlightPointer& flight, const std::string& stored_as,
                    const std::string& bytes);
    [[nodiscard]] cache::Use use_of(const cache::Entry& entry, Question question, const Token* token,
                                    WallTime known_valid) const;
    void give(const std::shared_ptr<const cache::Entry>& entry, const Waiter& waiter, cache::Use use);
    bool give_spare(const std::string& key, const Waiter& waiter);

    // --- filling
    struct Fill {
        std::string key;
        FlightPointer flight;
        std::string epoch;
        std::uint64_t era = 0;
        WallTime began{};
        Answer answer;
        PgSnapshot snapshot;
        bool done = false;
    };
    void fill(const std::string& key, const FlightPointer& flight);
    void read(Fill& fill);
    void finish(Fill& fill);
    [[nodiscard]] std::shared_ptr<const cache::Entry> entry_of(const Fill& fill) const;
    void check_useful(const Fill& fill);
    std::shared_ptr<const cache::Entry> store(const std::string& key, std::shared_ptr<const cache::Entry> entry);
    std::shared_ptr<const cache::Entry> keep(const std::string& key, std::shared_ptr<const cache::Entry> entry);
    void forget_given(const std::string& key);
    void share(const std::string& key, const cache::Entry& entry);
    void land(const std::string& key, const FlightPointer& flight, const std::shared_ptr<const cache::Entry>& entry);

    [[nodiscard]] WallTime wall() const;
    void after(Ms delay, std::function<void()> what) { world_.agenda.after(delay, &process_, std::move(what)); }

    World& world_;
    int id_;
    Ms skew_;
    Process process_;
    Bounds bounds_;
    fence::Fence fence_;
    fence::Trust trust_{std::chrono::milliseconds(bound_ms)};
    cache::Store store_;
    Knowledge knows_;
    std::string epoch_;
    std::uint64_t era_ = 0;
    std::uint64_t hits_ = 0;

    bool open_ = false, connecting_ = false, listening_ = false, gap_before_ = false, carries_over_ = false;
    std::uint64_t channel_ = 0;   // which one; what is underway on another is lost
    std::uint64_t connects_ = 0;  // a channel that is lost and not missed yet is still connected, as far as is known
    Ms channel_free_at_ = 0;      // messages come in order
    std::deque<Message> inbox_;
    std::vector<std::uint32_t> lives_heard_;  // of what came while unfenced
    std::vector<Announcement> unplaced_;      // of a life of the database that is not known of yet, or no more
    PgSnapshot since_, first_since_;
    Ms since_at_ = 0;
    bool reading_ = false;  // the catalog
    Values since_values_{};
    std::array<Ms, questions> since_purged_{}, since_purged_hard_{};
    Beat beat_;
    std::map<std::string, FlightPointer> flights_;
};

}  // namespace millrace::sim
