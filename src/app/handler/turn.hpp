// One request on its way through the handler: what is known of it so far, and the replies that end it.
#pragma once

#include <optional>

#include "counted_body.hpp"
#include "limits.hpp"
#include "millrace/app/handler.hpp"
#include "millrace/core/cors.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::app {

// An error as the version's answer.
[[nodiscard]] message::Reply error_reply(const Error& error, const pipeline::Snapshot& snapshot, const routes::ApiCatalog* api);

struct RequestHandler::Turn {
    Turn(const message::Request& r, http::Trace& t, std::shared_ptr<const pipeline::Snapshot> s);

    [[nodiscard]] Result<void> read_token();
    void identify(auth::IdentityPointer who);
    void find_origins();  // of the route, where a browser asks
    void label(const routes::ApiCatalog& api, const routes::Resource* resource, const routes::ApiFunction* function);
    void label(const routes::ApiCatalog& api, const routes::Upstream& route);

    // Does the entry hold what the caller is known to have seen (Consistency-Token), and does the client let it be used
    // (Cache-Control)? That it did not is remembered for Cache-Status.
    [[nodiscard]] bool accepts(const cache::Entry& entry);
    // Where the route lets clients speak to the cache.
    void read_directives(const routes::CachePolicy& policy);
    [[nodiscard]] bool may_store() const { return !asked || !asked->no_store; }
    [[nodiscard]] bool only_if_cached() const { return asked && asked->only_if_cached; }

    // Time since the last lap, or since the request was taken up; nothing is measured where nobody wants to know.
    [[nodiscard]] Duration lap();

    // The reply as it leaves: with what each reply says, whatever it is.
    [[nodiscard]] http::Outgoing outgoing(message::Reply reply);
    [[nodiscard]] message::Reply failed(const Error& error);
    [[nodiscard]] message::Reply hit(const Lookup& found, const cache::Variant* variant);
    [[nodiscard]] message::Reply given_for_error(const Lookup& spare);  // stale, since the database failed
    void missed(message::Reply& reply, bool stored);
    void pass_by(events::CacheReason why);  // the caches; missed() then says so
    // As it leaves when the client's conditions have been looked at: itself, 304 or 412.
    [[nodiscard]] message::Reply conditioned(message::Reply reply);

    void say_status(message::Reply& reply, std::string status) const;
    void note_timing();
    [[nodiscard]] pg::Call call() const;
    void answer_within(Duration time);
    [[nodiscard]] Limits::Request limited(const routes::ResolvedPolicies& policies) const;
    [[nodiscard]] Ask ask(TimePoint now) const { return {wall, now, windows, token}; }

    const message::Request& request;
    net::Source* unread = nullptr;  // the request's body, where it is not whole yet
    http::Trace& trace;
    std::shared_ptr<const pipeline::Snapshot> snapshot;  // one for the whole request, whatever is adopted meanwhile
    auth::IdentityPointer identity = auth::unnamed();
    bool in_batch = false;         // an operation of one: what is remembered of other transactions has no place in it
    const cors::Origins* origins;  // that may read the answer
    const routes::ResolvedPolicies* passed = nullptr;        // the gate, for this route
    const routes::ResolvedPolicies* lacks_tokens = nullptr;  // of its limits: Redis has to be asked
    unsigned token_asks = 0;
    message::HeaderBlock limit_fields;
    const routes::ApiCatalog* api = nullptr;
    const routes::Upstream* service = nullptr;     // that answers instead of the database
    routes::Match match;                           // of it
    std::string target_key;                        // of all answers to its path; empty: no cache is looked at
    std::optional<upstream::Variation> variation;  // what is known to tell those apart
    WallTime wall;
    TimePoint began;
    std::optional<Duration> patience;  // of the client, where it says so
    Deadline deadline{TimePoint::max()};
    std::optional<fence::Xid> token;
    std::optional<pipeline::ClientDirectives> asked;  // nothing: the route does not let clients speak to the cache
    bool refused = false;                             // there was an entry, and the client does not want it
    reply::Timings timings;
    TimePoint lap_began;
    std::vector<std::string> values;  // of the request's filters, when its work is that of a shape
    std::string cache_key;
    cache::StaleWindows windows;
    pg::Timing timing;
    std::unique_ptr<CountedBody> body;  // of an answer that begins before all of it is there
};

}  // namespace millrace::app
