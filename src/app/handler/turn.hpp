// One request on its way through the handler: what is known of it so far, and the replies that end it.
#pragma once

#include <optional>

#include "millrace/app/handler.hpp"
#include "rows_body.hpp"

namespace millrace::app {

struct RequestHandler::Turn {
    Turn(const message::Request& r, http::Trace& t, std::shared_ptr<const pipeline::Snapshot> s);

    [[nodiscard]] Result<void> read_token();
    void identify(auth::Identity who);
    void label(const routes::ApiCatalog& api, const routes::Resource* resource, const routes::ApiFunction* function);

    // Does the entry hold what the caller is known to have seen (Consistency-Token)?
    [[nodiscard]] bool accepts(const cache::Entry& entry) const;

    // Time since the last lap, or since the request was taken up; nothing is measured where nobody wants to know.
    [[nodiscard]] Duration lap();

    // The reply as it leaves: with what each reply says, whatever it is.
    [[nodiscard]] http::Outgoing outgoing(message::Reply reply);
    [[nodiscard]] message::Reply failed(const Error& error);
    [[nodiscard]] message::Reply hit(const cache::Entry& entry, events::CacheResult where);
    void answered(const pg::Timing& timing);
    void missed(message::Reply& reply, bool stored);
    void passed_by(message::Reply& reply, std::string_view why);

    const message::Request& request;
    http::Trace& trace;
    std::shared_ptr<const pipeline::Snapshot> snapshot;  // one for the whole request, whatever is adopted meanwhile
    auth::Identity identity;
    const routes::ApiCatalog* api = nullptr;
    WallTime wall;
    Deadline deadline;
    std::optional<fence::Xid> token;
    reply::Timings timings;
    TimePoint lap_began;
    std::vector<std::string> values;  // of the request's filters, when its work is that of a shape
    std::string cache_key;
    std::unique_ptr<RowsBody> body;  // of an answer that begins before all its rows are there
};

}  // namespace millrace::app
