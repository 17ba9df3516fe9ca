// Content negotiation: which representation of its rows a request gets (RFC 9110 §12.5.1; PostgREST, "Resource Representation",
// "Media Type Handlers").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/catalog.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::representation {

struct Representation {
    std::string name = "application/json";  // what caches and entity tags tell it by
    std::string content_type = "application/json; charset=utf-8";
    bool one = false;  // an object: there must be exactly one row
    bool nulls_stripped = false;
    // A function of the database makes it, which may look at the request's settings and set the reply's.
    bool handled = false;
    sql::Form form{};
};

// What there is to choose from.
struct Offer {
    std::span<const catalog::MediaHandler> handlers{};
    std::string_view schema{};                    // the version's: handlers of others are not shown
    const routes::Resource* resource = nullptr;   // whose rows they are; nothing: scalars or records
    const catalog::Function* function = nullptr;  // of a call
    bool every_column = true;                     // the request selects nothing but *
    bool plans = false;                           // EXPLAIN may be shown
};

// Does the request select what the rows are, and nothing else?
[[nodiscard]] bool selects_every_column(const request::ApiRequest& request);

// The best range that something is offered for; else not_acceptable (PGRST107, 406).
[[nodiscard]] Result<Representation> choose(const std::vector<request::MediaRange>& accept, const Offer& offer);

// Nothing of what was asked for is offered (PGRST107, 406).
[[nodiscard]] Error not_acceptable(const std::vector<request::MediaRange>& accept);

// The value of Content-Type: text has its charset, what the dialect does not know is bytes.
[[nodiscard]] std::string content_type(request::Media media, std::string_view name);

}  // namespace millrace::representation
