// What happens to a request, in order: admit → identify → prepare → cached or query → finish. Read src/app/handler/handler.cpp
// first.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "millrace/app/admission.hpp"
#include "millrace/app/standby.hpp"
#include "millrace/app/tiered_cache.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/http.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// One per worker, on its thread.
class RequestHandler final : public http::Handler {
public:
    using Broadcast = std::function<void(const fence::Invalidation&)>;
    using Work = std::shared_ptr<const pipeline::Work>;

    RequestHandler(std::shared_ptr<const pipeline::Snapshot> snapshot, pg::Pool& pool, Standby& standby, TieredCache& cache,
                   Broadcast broadcast);

    void adopt(std::shared_ptr<const pipeline::Snapshot> snapshot);

    [[nodiscard]] std::uint64_t body_bytes_max(const message::Request& head) const override;
    [[nodiscard]] http::asio::awaitable<http::Outgoing> handle(const message::Request& request, http::Trace& trace) override;

private:
    struct Turn;  // one request on its way

    [[nodiscard]] Result<pipeline::Prepared> understand(Turn& turn);
    [[nodiscard]] Result<pipeline::Prepared> plan(Turn& turn, const routes::Match& match, bool rememberable);
    [[nodiscard]] Work recall(Turn& turn);
    void remember(const Work& work);
    [[nodiscard]] std::optional<message::Reply> known_hit(Turn& turn);
    void remember_caller(const pipeline::Work& work);
    [[nodiscard]] std::optional<message::Reply> hit_memory(Turn& turn, const pipeline::Work& work);
    [[nodiscard]] http::asio::awaitable<message::Reply> answer_through_cache(Turn& turn, Work work);
    [[nodiscard]] http::asio::awaitable<message::Reply> fill(Turn& turn, Work work, TieredCache::Ticket ticket);
    [[nodiscard]] http::asio::awaitable<message::Reply> answer_from_database(Turn& turn, Work work);
    [[nodiscard]] http::asio::awaitable<Result<pg::Opened>> query(Turn& turn, Work& work);
    [[nodiscard]] http::asio::awaitable<Result<pg::Opened>> query_whole(const pipeline::Work& work, sql::BoundScript script,
                                                                        Deadline deadline, pg::Timing& timing);
    [[nodiscard]] std::size_t kept_bytes(const pipeline::Work& work) const;
    [[nodiscard]] message::Reply begin(Turn& turn, Work work, pg::Opened opened);
    void apply_own_write(const pipeline::Work& work, const sql::Results& results, message::Reply& reply);
    [[nodiscard]] events::LaneClass lane_for(const pipeline::Work& work) const;

    std::shared_ptr<const pipeline::Snapshot> snapshot_;
    pg::Pool& pool_;
    Standby& standby_;
    TieredCache& cache_;
    Broadcast broadcast_;
    Admission admission_;
    policy::ShapeTimes shape_times_;
    std::unordered_map<std::string, Work> remembered_;  // of this snapshot; bounded
    std::unordered_map<std::string, Work> known_;       // of callers with a token: without statements; the same
    auth::TokenCache tokens_;                           // the same
    std::array<std::uint64_t, 1024> seen_once_{};       // hashes of requests that were not remembered yet
    std::string caller_key_;                            // of the request at hand, or empty
    std::string remember_key_;                          // of the request at hand; a member for its memory's sake
};

}  // namespace millrace::app
