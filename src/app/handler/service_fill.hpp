// A question to a service whose answer may be kept.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "millrace/app/handler.hpp"
#include "millrace/core/upstream.hpp"

namespace millrace::app {

// A request that outlives its connection.
struct OwnRequest {
    explicit OwnRequest(const message::Request& of);
    OwnRequest(const OwnRequest&) = delete;
    OwnRequest& operator=(const OwnRequest&) = delete;

    [[nodiscard]] std::string_view own(std::string_view text) { return texts_.emplace_back(text); }
    message::Request request;

private:
    std::deque<std::string> texts_;
};

struct RequestHandler::Question {
    std::shared_ptr<const pipeline::Snapshot> snapshot;
    const routes::ApiCatalog* api = nullptr;
    const routes::Upstream* route = nullptr;
    std::string_view below;
    const message::Request* request = nullptr;
    std::string_view request_id;
    std::string target;                            // the cache's key of all answers to it
    std::optional<upstream::Variation> variation;  // what is known to tell them apart
    std::string key;                               // of the answer that this request wants, as far as that is known
    EntryPointer old;                              // what was kept under it, to be asked about
    Deadline deadline{};
    bool keeps = true;                  // the answer, if it allows that
    std::shared_ptr<OwnRequest> owner;  // of the views, where the connection is not
};

// When it was asked, by all that an entry is judged by.
struct RequestHandler::Moment {
    fence::PgSnapshot snapshot;
    WallTime wall;
    TimePoint tick;
    std::uint64_t era = 0;
};

struct RequestHandler::Fetched {
    std::optional<Error> error;
    message::Reply reply;
    std::string first;                     // of a body that is not whole
    std::unique_ptr<services::Body> rest;  // of the same
    EntryPointer entry;                    // nothing: it is not kept
    std::string key;                       // where it is kept
    cache::StaleWindows windows;
};

}  // namespace millrace::app
