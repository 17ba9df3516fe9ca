// The rules of a route that is an HTTP service: what of a request goes on and what of an answer comes back, which of several
// addresses is asked and when once more, and what may be kept of its answers (RFC 9110, 9111, 5861). No I/O and no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/cache.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/core/routes.hpp"
#include "millrace/core/url.hpp"

namespace millrace::upstream {

// Does the part of a path below the route's name lead to nothing else, however its escapes are read?
[[nodiscard]] bool stays_below(std::string_view below);

// May it be asked so? Fails with method_not_allowed, or bad_query for a path that leads out of the route.
[[nodiscard]] Result<void> admit(const routes::Upstream& route, message::Method method, std::string_view below);

// What an answer that is kept can be told by.
struct Validators {
    std::string etag, last_modified;
    [[nodiscard]] bool empty() const { return etag.empty() && last_modified.empty(); }
};

// A request on its way to a service. All of it must outlive the call.
struct Sending {
    const routes::Upstream& route;
    const message::Request& request;
    std::string_view below;
    std::string_view request_id;
    bool to_keep = false;                   // the answer is wanted whole: the client's own conditions stay here
    Validators known{};                     // of what is kept already
    bool streams = false;                   // the body is not the request's own but follows piece by piece
    std::optional<std::uint64_t> length{};  // of that body, in bytes; nothing: it goes in chunks
};
// Request line and fields, for the service at this base; the body follows, as it is or in chunks.
[[nodiscard]] std::string request_head(const Sending& sending, const url::Url& service);
// Makes a piece of a body a chunk of it, and of its last piece its end (RFC 9112 §7.1). What goes before the piece is returned,
// what goes behind it is added to it. A piece without bytes is nothing by itself.
[[nodiscard]] std::string make_chunk(std::string& piece, bool last);

// The deadline of a request whose body goes on as it comes, when so much of that has come: who sends as fast as is asked of him
// is given the time that it takes. 0 bytes a second: no more time than there was.
[[nodiscard]] Deadline upload_deadline(Deadline deadline, std::uint64_t bytes, std::uint64_t bytes_per_s_min);

// What a service says of its answer's keeping (RFC 9111 §5).
struct Caching {
    bool no_store = false, no_cache = false, is_private = false, is_public = false;
    bool must_revalidate = false, proxy_revalidate = false;
    std::optional<std::uint64_t> max_age_s, s_maxage_s, stale_while_revalidate_s, stale_if_error_s;
    std::optional<WallTime> date, expires;  // an Expires that is no date is long past
    std::uint64_t age_s = 0;
    std::vector<std::string> vary;  // in lower case, sorted
    bool varies_by_anything = false, sets_cookie = false;
    Validators validators;

    [[nodiscard]] bool tells_lifetime() const { return max_age_s || s_maxage_s || expires; }
};
[[nodiscard]] Caching caching_of(const message::HeaderBlock& headers);

enum class BodyKind : std::uint8_t { none, sized, chunked, to_end };

struct Head {
    int status = 0;
    message::HeaderBlock headers;  // those that clients see
    Caching caching;
    BodyKind body = BodyKind::none;
    std::uint64_t length = 0;
    bool keep_alive = true;
};
inline constexpr std::size_t head_bytes_max = 64 * 1024;
// The length of a head with its empty line; nothing while it is incomplete. Fails with upstream_failed when it grows too long.
[[nodiscard]] Result<std::optional<std::size_t>> head_length(std::string_view buffer);
// A complete head. Fails with upstream_failed when it can be read in two ways, or in none (RFC 9112 §6.3).
[[nodiscard]] Result<Head> read_head(std::string_view head, message::Method asked, const routes::UpstreamPolicy& policy);

// May the request's answer come from a cache, or go into one?
[[nodiscard]] bool may_use_cache(const message::Request& request);
// Does the service see who is asking (RFC 9111 §3.5)?
[[nodiscard]] bool shows_caller(const routes::UpstreamPolicy& policy, const message::Request& request);

// For how long the answer may be given, less the age that it came with; nothing: it must not be kept (RFC 9111 §3, §4.2.1).
struct Kept {
    Duration fresh_for{}, age{};
};
[[nodiscard]] std::optional<Kept> may_keep(int status, const Caching& caching, bool caller_shown,
                                           const routes::CachePolicy& policy, WallTime received);
// What its directives, or else the route, allow of a stale answer (RFC 5861).
[[nodiscard]] cache::StaleWindows stale_windows(const Caching& caching, const routes::CachePolicy& policy);

// The fields of a kept answer after the service said that it still holds (RFC 9111 §3.2, §4.3.4).
[[nodiscard]] message::HeaderBlock renewed(const message::HeaderBlock& kept, const message::HeaderBlock& said);

// What tells apart the answers of one target: kept under a key of its own, so that whoever looks for an answer learns by which
// of his fields to look. `nonce`: another one after a write, so that nothing that was kept before is found.
struct Variation {
    std::string nonce;
    std::vector<std::string> names;
};
[[nodiscard]] std::string to_text(const Variation& variation);
[[nodiscard]] std::optional<Variation> parse_variation(std::string_view text);
[[nodiscard]] std::string variation_key(std::string_view target_key);
[[nodiscard]] std::string variant_key(std::string_view target_key, const Variation& variation, const message::Request& request);

// Does the client have it already (RFC 9110 §13.1.2, §13.1.3)? Tags are the service's own: compared whole.
[[nodiscard]] bool client_has(const message::Request& request, const message::HeaderBlock& headers);

enum class Failure : std::uint8_t { connect, lost, timed_out, garbage };
// Another attempt? Where nothing was sent any request may go elsewhere; what was sent goes again only if that cannot do it
// twice (RFC 9110 §9.2.2).
[[nodiscard]] bool may_retry(message::Method method, Failure failure, std::uint64_t retries, std::uint64_t retries_max);
[[nodiscard]] bool is_idempotent(message::Method method);
// A service that says so of itself is as good as gone.
[[nodiscard]] bool counts_as_failure(int status);

// Which address is asked: the one with the fewest requests under way, of those that are well; ties go round. One thread.
class Balancer {
public:
    Balancer(std::size_t addresses, unsigned failures_max, Duration open_for);

    enum class None : std::uint8_t { down, open };  // by their checks; by what became of requests
    // `tried`: addresses that this request need not be sent to again. `may_fail`: the request can be sent elsewhere, so it may
    // be the one that tries an address which failed.
    struct Choice {
        std::optional<std::size_t> address;
        None why = None::down;
    };
    [[nodiscard]] Choice choose(const std::vector<bool>& tried, bool may_fail, TimePoint now);
    void began(std::size_t address) { ++states_[address].pending; }
    void ended(std::size_t address) { --states_[address].pending; }
    void succeeded(std::size_t address) { states_[address].breaker.succeeded(); }
    void failed(std::size_t address, TimePoint now) { states_[address].breaker.failed(now); }
    void checked(std::size_t address, bool well) { states_[address].checked_well = well; }
    [[nodiscard]] bool up(std::size_t address) const {
        return states_[address].checked_well && !states_[address].breaker.open();
    }
    [[nodiscard]] std::size_t size() const { return states_.size(); }

private:
    struct State {
        policy::Breaker breaker;
        std::uint64_t pending = 0;
        bool checked_well = true;
    };
    std::vector<State> states_;
    std::size_t turn_ = 0;
};

}  // namespace millrace::upstream
