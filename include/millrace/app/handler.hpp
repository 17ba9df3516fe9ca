// What happens to a request, in order: admit → identify → prepare → cached or query → finish. Read src/app/handler/handler.cpp
// first.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>

#include "millrace/app/admission.hpp"
#include "millrace/app/standby.hpp"
#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/batch.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/http.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/pg.hpp"
#include "millrace/io/services.hpp"

namespace millrace::net {
class SideThread;
}
namespace millrace::redis {
class Link;
}

namespace millrace::app {

class Callers;
class Compressor;
class Costs;
class Limits;

// One per worker, on its thread.
class RequestHandler final : public http::Handler {
public:
    using Broadcast = std::function<void(const fence::Invalidation&)>;
    using Work = std::shared_ptr<const pipeline::Work>;

    // `side` does what would hold up the loop, `background` reads what nobody waits for; both go before the handler does.
    struct Parts {
        pg::Pool& pool;
        Standby& standby;
        services::Services& services;
        TieredCache& cache;
        net::SideThread& side;
        net::TaskGroup& background;
        redis::Link* link;                   // nothing: there is no Redis
        net::Signal& keys_settled;           // the published keys were read, or will not be
        std::function<void()> ask_for_keys;  // that they be read: a token names one that is not known
        events::Observer& observer;
    };
    RequestHandler(std::shared_ptr<const pipeline::Snapshot> snapshot, const Parts& parts, Broadcast broadcast);
    ~RequestHandler() override;

    void adopt(std::shared_ptr<const pipeline::Snapshot> snapshot);
    void forget_callers();  // API keys have changed, or may have

    [[nodiscard]] http::BodyRule body_rule(const message::Request& head) const override;
    [[nodiscard]] http::Answer answer(const message::Request& request, http::Trace& trace, net::Source* body) override;
    void catch_up() override;

private:
    struct Turn;  // one request on its way

    // gate.cpp
    [[nodiscard]] std::optional<Result<auth::IdentityPointer>> identify(const Turn& turn);
    [[nodiscard]] http::asio::awaitable<Result<auth::IdentityPointer>> look_up(const Turn& turn);
    [[nodiscard]] http::asio::awaitable<http::Outgoing> answer_unknown(std::unique_ptr<Turn> turn, Admission::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<http::Outgoing> answer_with_tokens(std::unique_ptr<Turn> turn,
                                                                           Admission::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<void> ask_for_tokens(Turn& turn);
    [[nodiscard]] http::asio::awaitable<http::Outgoing> go_on(std::unique_ptr<Turn> turn, Admission::Ticket ticket);
    [[nodiscard]] Result<void> pass_gate(Turn& turn, const routes::Match& match);
    [[nodiscard]] Result<void> pass_gate(Turn& turn, const routes::ResolvedPolicies& policies);
    [[nodiscard]] Result<void> pass_limits(Turn& turn, const routes::ResolvedPolicies& policies);

    // handler.cpp
    [[nodiscard]] http::Answer answer_known(Turn& turn, Admission::Ticket ticket);
    [[nodiscard]] http::Outgoing turn_away(Turn& turn);
    [[nodiscard]] http::Outgoing charged(Turn& turn, message::Reply reply);
    [[nodiscard]] Result<pipeline::Prepared> understand(Turn& turn);
    [[nodiscard]] Result<pipeline::Prepared> plan(Turn& turn, const routes::Match& match, bool rememberable);
    [[nodiscard]] message::Reply hit(Turn& turn, const Lookup& found);
    [[nodiscard]] std::optional<message::Reply> hit_memory(Turn& turn, const Work& work);
    [[nodiscard]] http::asio::awaitable<http::Outgoing> answer_later(std::unique_ptr<Turn> turn, Work work,
                                                                     Admission::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<message::Reply> answer_through_cache(Turn& turn, Work work);
    [[nodiscard]] http::asio::awaitable<message::Reply> fill(Turn& turn, Work work);  // for nobody else
    [[nodiscard]] http::asio::awaitable<message::Reply> fill(Turn& turn, Work work, TieredCache::Ticket ticket,
                                                             TieredCache::Lease lease);
    // What is read from the database. `work` becomes its twin when a standby answers; `primary`: none may.
    struct Reading {
        Work work;
        const std::vector<std::string>& values;
        std::optional<fence::Xid> token;
        pg::Call call;  // its lane is chosen when it is asked
        bool primary = false;
    };
    // What that brought.
    struct Read {
        Work work;  // that was answered
        Result<message::Reply> reply = Error{};
        std::optional<Error> negative{};   // what the reply says, when it is an error that may be kept
        std::optional<pg::Opened> rest{};  // too much to be kept: the reply has to begin with it
        EntryPointer entry{};              // nothing: it may not be kept
        Duration cost{};
    };
    [[nodiscard]] http::asio::awaitable<Read> read_through(Reading reading, pg::Timing& timing);
    [[nodiscard]] http::asio::awaitable<message::Reply> fail_or_give_stale(Turn& turn, Error error);
    // An entry to be read anew while nobody waits.
    struct Refresh {
        Work work;
        std::vector<std::string> values;
        std::string key;
        EntryPointer old;
        cache::StaleWindows windows;
        bool early = false;
        Deadline deadline{};
        // Nobody waits for it: whoever does goes first.
        [[nodiscard]] pg::Call call() const {
            return {.authenticated = work->authenticated, .deadline = deadline, .priority = congestion::Priority::low};
        }
    };
    [[nodiscard]] std::uint64_t hits_until_check();
    void check(const Turn& turn, const Work& work, const EntryPointer& entry);
    [[nodiscard]] http::asio::awaitable<void> read_again(Refresh what);
    [[nodiscard]] http::asio::awaitable<events::CheckOutcome> compare(const Refresh& what);
    [[nodiscard]] http::asio::awaitable<std::optional<fence::PgSnapshot>> snapshot_after(Deadline deadline);
    void refresh(const Turn& turn, const Work& work, const Lookup& found);
    [[nodiscard]] http::asio::awaitable<void> read_anew(Refresh what, TieredCache::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<bool> read_anew_or_find(const Refresh& what, TieredCache::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<message::Reply> answer_from_database(Turn& turn, Work work);
    [[nodiscard]] http::asio::awaitable<message::Reply> answer_once(Turn& turn, Work work);  // however often it is asked for
    [[nodiscard]] http::asio::awaitable<message::Reply> answer_repeat(Turn& turn, idempotency::Key key, Error error);
    void note_refused_key(const Error& error);
    // batch.cpp
    [[nodiscard]] http::asio::awaitable<http::Outgoing> answer_batch(std::unique_ptr<Turn> turn, batch::Place place,
                                                                     Admission::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<message::Reply> run_batch(Turn& turn, batch::Place place);
    struct Batch;
    [[nodiscard]] http::asio::awaitable<Result<void>> read_batch(Turn& turn, const batch::Place& place, Batch& out);
    [[nodiscard]] http::asio::awaitable<Result<Work>> understand_operation(Turn& turn, const message::Request& operation);
    [[nodiscard]] http::asio::awaitable<Result<void>> afford(const Reading& reading, pg::Timing& timing);
    [[nodiscard]] http::asio::awaitable<Result<pg::Opened>> query(Reading& reading, pg::Timing& timing);
    [[nodiscard]] http::asio::awaitable<Result<pg::Opened>> query_whole(const pipeline::Work& work, sql::BoundScript script,
                                                                        const pg::Call& call, pg::Timing& timing);
    [[nodiscard]] std::size_t kept_bytes(const pipeline::Work& work) const;
    [[nodiscard]] message::Reply begin(Turn& turn, Work work, pg::Opened opened);
    std::optional<fence::Xid> tell_own_write(const pipeline::Work& work, const sql::Results& results);
    // remembered.cpp
    [[nodiscard]] Work recall(Turn& turn);
    void remember(const Work& work);
    [[nodiscard]] Result<std::optional<message::Reply>> known_hit(Turn& turn);
    void remember_caller(const pipeline::Work& work);
    // through_service.cpp
    [[nodiscard]] Result<pipeline::Prepared> send_to_service(Turn& turn, const routes::Match& match);
    [[nodiscard]] http::Answer answer_through_service(Turn& turn, Admission::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<http::Outgoing> answer_from_service(std::unique_ptr<Turn> turn,
                                                                            Admission::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<message::Reply> ask_service(Turn& turn);
    [[nodiscard]] http::asio::awaitable<message::Reply> take_answer(Turn& turn, Result<services::Answer> answer);
    // service_upload.cpp
    [[nodiscard]] http::asio::awaitable<message::Reply> pass_body_on(Turn& turn);
    // service_fill.cpp
    struct Question;
    struct Fetched;
    struct Moment;
    [[nodiscard]] http::asio::awaitable<Fetched> fetch(const Question& question);
    [[nodiscard]] static http::asio::awaitable<bool> read_body(const Question& question, services::Answer& answer, bool keeps,
                                                               Fetched& out);
    void keep(const Question& question, const Moment& asked, const upstream::Caching& caching, const upstream::Kept& kept,
              Fetched& out);
    // service_cache.cpp
    [[nodiscard]] std::string target_key(const Turn& turn) const;
    [[nodiscard]] Ask service_ask(const Turn& turn, TimePoint now) const;
    void find_variant(Turn& turn, const EntryPointer& record);
    [[nodiscard]] message::Reply service_hit(Turn& turn, const Lookup& found);
    [[nodiscard]] std::optional<message::Reply> hit_service_memory(Turn& turn);
    [[nodiscard]] Question question_of(const Turn& turn) const;
    [[nodiscard]] http::asio::awaitable<message::Reply> find_or_ask_service(Turn& turn);
    [[nodiscard]] http::asio::awaitable<message::Reply> fill_from_service(Turn& turn, TieredCache::Ticket ticket,
                                                                          TieredCache::Lease lease);
    [[nodiscard]] http::asio::awaitable<Lookup> find_service_spare(Turn& turn);
    void forget_target(Turn& turn);
    void refresh_service(const Turn& turn, const EntryPointer& old);
    [[nodiscard]] http::asio::awaitable<void> ask_again(Question question, TieredCache::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<message::Reply> pass_on(Turn& turn, services::Answer answer);
    void apply_own_write(const pipeline::Work& work, const sql::Results& results, message::Reply& reply);
    [[nodiscard]] events::LaneClass lane_for(const pipeline::Work& work) const;

    std::shared_ptr<const pipeline::Snapshot> snapshot_;
    pg::Pool& pool_;
    Standby& standby_;
    services::Services& services_;
    TieredCache& cache_;
    std::unique_ptr<Compressor> compressor_;
    net::TaskGroup& background_;
    net::Signal& keys_settled_;
    std::function<void()> ask_for_keys_;
    events::Observer& observer_;
    std::uint64_t refreshes_ = 0, checks_ = 0;  // underway
    std::minstd_rand random_{std::random_device{}()};
    std::uint64_t until_check_ = 1;  // hits
    Broadcast broadcast_;
    Admission admission_;
    policy::ShapeTimes shape_times_;
    std::unique_ptr<Costs> costs_;
    std::unique_ptr<Callers> callers_;
    std::unique_ptr<Limits> limits_;
    std::unordered_map<std::string, Work, text::Hash> remembered_;  // of this snapshot; bounded
    std::unordered_map<std::string, Work, text::Hash> known_;       // of callers with a token: without statements; the same
    auth::TokenCache tokens_;                                       // the same
    std::array<std::uint64_t, 1024> seen_once_{};                   // hashes of requests that were not remembered yet
    std::string caller_key_;                                        // of the request at hand, or empty
    std::string remember_key_;                                      // of the request at hand; a member for its memory's sake
};

}  // namespace millrace::app
