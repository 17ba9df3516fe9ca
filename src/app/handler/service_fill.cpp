// Asks a service, and leaves its answer where the next one finds it, as far as it allows that.
#include "service_fill.hpp"

#include <algorithm>
#include <utility>

#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"

namespace millrace::app {
namespace {

namespace asio = boost::asio;

constexpr Duration variation_kept_for = std::chrono::hours(24);

// As a purge names them.
std::vector<fence::Tag> tags_of(const routes::ApiCatalog& api, const routes::Upstream& route) {
    const std::string version = "@" + text::percent_encode(api.version());
    return {version, version + "/" + text::percent_encode(route.name)};
}

cache::Entry entry_of(message::Reply& reply, WallTime stored, Duration fresh_for) {
    cache::Entry entry;
    entry.status = reply.status;
    auto headers = reply.headers;
    headers.remove("Age");
    headers.remove("Cache-Status");
    entry.header_lines = headers.lines();
    entry.body = reply.body.share();
    entry.etag = headers.get("ETag");
    entry.stored = stored;
    entry.fresh_for = fresh_for;
    return entry;
}

// What the answer says of its keeping; `reply` gets what the client sees of its head. A 304 stands for what was kept.
upstream::Caching take_head(services::Answer& answer, const cache::Entry* renewed, const routes::ApiCatalog& api,
                            message::Reply& reply) {
    upstream::Caching caching = answer.head.caching;
    reply.status = answer.head.status;
    if (renewed == nullptr) {
        reply.headers = std::move(answer.head.headers);
        routes::add_version_headers(api.table(), reply.headers);
        return caching;
    }
    reply.status = renewed->status;
    reply.headers = upstream::renewed(message::HeaderBlock::from_lines(renewed->header_lines), answer.head.headers);
    reply.body = message::Body(renewed->body);
    upstream::Caching whole = upstream::caching_of(reply.headers);
    whole.date = caching.date;
    whole.age_s = caching.age_s;
    return whole;
}

}  // namespace

OwnRequest::OwnRequest(const message::Request& of) : request(of) {
    request.target = own(of.target);
    request.path = own(of.path);
    request.query = own(of.query);
    request.body = own(of.body);
    request.peer = own(of.peer);
    for (message::Header& header : request.headers) header = {own(header.name), own(header.value)};
}

asio::awaitable<RequestHandler::Fetched> RequestHandler::fetch(const Question& question) {
    Fetched out;
    const routes::CachePolicy& policy = question.route->policies.cache;
    upstream::Sending sending{*question.route, *question.request, question.below, question.request_id, question.keeps, {}};
    if (question.old && question.keeps)
        sending.known = upstream::caching_of(message::HeaderBlock::from_lines(question.old->header_lines)).validators;
    const Moment asked{cache_.fence().latest(), net::wall_now(), net::now(), cache_.era()};
    auto answer = co_await services_.call(*question.api, sending, question.deadline);
    if (!answer) {
        out.error = std::move(answer).error();
        co_return out;
    }
    const bool renews = answer->head.status == 304 && question.old != nullptr && !sending.known.empty();
    const upstream::Caching caching = take_head(*answer, renews ? question.old.get() : nullptr, *question.api, out.reply);
    out.windows = upstream::stale_windows(caching, policy);
    const bool caller_shown = upstream::shows_caller(question.route->upstream, *question.request);
    const auto kept = upstream::may_keep(out.reply.status, caching, caller_shown, policy, asked.wall);
    const bool whole = co_await read_body(question, *answer, kept && question.keeps, out);
    if (whole && kept && question.keeps && asked.era == cache_.era() && asked.snapshot.xmax != 0)
        keep(question, asked, caching, *kept, out);
    co_return out;
}

// Whole, where it is short or to be kept: true. Else what was read goes before the rest of it.
asio::awaitable<bool> RequestHandler::read_body(const Question& question, services::Answer& answer, bool keeps, Fetched& out) {
    const config::Settings& settings = question.snapshot->settings;
    const bool sized = answer.head.body == upstream::BodyKind::sized;
    const std::size_t kept_max = keeps ? settings.cache.entry_bytes_max : 0;
    const std::size_t read_max = std::max<std::size_t>(kept_max, sized ? settings.http.stream_bytes_min : 0);
    const bool too_long = sized && answer.head.length > read_max;
    std::string body;
    while (answer.body && !too_long && body.size() <= read_max && read_max > 0) {
        auto more = co_await answer.body->next(body);
        if (!more) {
            out.error = std::move(more).error();
            co_return false;
        }
        if (!*more) answer.body.reset();
    }
    if (answer.body) {
        out.first = std::move(body);
        out.rest = std::move(answer.body);
        co_return false;
    }
    if (out.reply.body.view().empty()) out.reply.body = std::move(body);
    co_return true;
}

// Under what tells it apart: a first answer that varies leaves a record of the fields by which all others will be looked for.
void RequestHandler::keep(const Question& question, const Moment& asked, const upstream::Caching& caching,
                          const upstream::Kept& kept, Fetched& out) {
    upstream::Variation variation = question.variation.value_or(upstream::Variation{});
    const std::vector<fence::Tag> tags = tags_of(*question.api, *question.route);
    if (variation.names != caching.vary || (variation.nonce.empty() && !caching.vary.empty())) {
        variation = {std::to_string(random_()) + std::to_string(random_()), caching.vary};
        cache::Entry record;
        record.body = std::make_shared<const std::string>(upstream::to_text(variation));
        record.tags = tags;
        record.snapshot = asked.snapshot;
        record.stored = asked.wall;
        record.fresh_for = variation_kept_for;
        auto made = std::make_shared<const cache::Entry>(std::move(record));
        (void)cache_.put(upstream::variation_key(question.target), std::move(made), {}, {}, true);
    }
    out.key = variation.nonce.empty() ? question.target : upstream::variant_key(question.target, variation, *question.request);
    const WallTime stored = asked.wall - std::chrono::duration_cast<WallTime::duration>(kept.age);
    cache::Entry entry = entry_of(out.reply, stored, kept.fresh_for);
    entry.tags = tags;
    entry.snapshot = asked.snapshot;
    auto made = std::make_shared<const cache::Entry>(std::move(entry));
    out.entry = cache_.put(out.key, std::move(made), net::now() - asked.tick, out.windows, true);
}

}  // namespace millrace::app
