// Makes a write depend on what is there: its transaction first locks the rows of its URL and reads them as a GET would, and is
// rolled back when that is not what the client has seen. A lost update is so answered with 412, whoever comes at the same time.
#include "guard.hpp"

#include <algorithm>
#include <array>

#include "millrace/core/plan.hpp"
#include "millrace/core/representation.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

// What is locked and read is held in memory. Larger answers to GET are sent while their rows come, and have no tag.
constexpr std::int64_t rows_max = 10'000;

// The GET of the same URL and Accept, whose tag a condition is about. What concerns the write alone is left out, and so is what
// gives only a part.
message::Request as_get(const message::Request& request) {
    static constexpr std::array left_out = {"Prefer", "Range", "Range-Unit", "Millrace-Range", "Content-Type"};
    message::Request get = request;
    get.method = message::Method::get;
    get.body = {};
    std::erase_if(get.headers, [](const message::Header& header) {
        return std::ranges::any_of(left_out, [&](const char* name) { return text::iequals(header.name, name); });
    });
    return get;
}

// What a read of the URL finds.
struct Found {
    std::size_t rows = 0;
    std::string etag;  // empty: there is nothing
};

Result<Found> look_at(const Guard& guard, const sql::Results& results) {
    const sql::Results read{results[guard.read]};
    Found found;
    found.rows = reply::row_count(guard.script.answer, read.front());
    if (found.rows == 0) return found;
    if (found.rows > static_cast<std::size_t>(rows_max)) return uncheckable("It is about more than 10000 rows.");
    auto reply = reply::from_rows(guard.shape, guard.script, read);
    if (!reply) return std::move(reply).error();
    found.etag = reply::entity_tag(reply->body.view(), guard.shape.representation.name);
    return found;
}

bool holds(const Guard& guard, const std::string& etag) {
    if (!guard.if_match.empty() && (etag.empty() || !holds_if_match(guard.if_match, etag))) return false;
    if (guard.if_none_match.empty() || etag.empty()) return true;
    return !message::is_any(guard.if_none_match) &&
           !message::find_tag(guard.if_none_match, etag, message::Comparison::weak).has_value();
}

// Rows that came between the read and the write were not seen by the client, and not locked. One that a PUT has made itself was
// not there.
bool touched_unseen(const Work& work, const sql::Results& results, const Found& found) {
    const reply::Changed changed = reply::changed(work.script, results);
    const bool made = work.script.expects_one && changed.added && found.rows == 0;
    return !made && changed.rows > static_cast<std::int64_t>(found.rows);
}

Result<void> check(const Work& work, const sql::Results& results) {
    auto found = look_at(*work.guard, results);
    if (!found) return std::move(found).error();
    if (!holds(*work.guard, found->etag) || touched_unseen(work, results, *found)) return Error::of(Fault::precondition_failed);
    return {};
}

// The work's own choice among what the URL offers, planned as the read that it would be.
Result<plan::Read> plan_get(const Work& work, const routes::Match& match, const message::Request& get) {
    auto api = request::parse(get);
    if (!api) return std::move(api).error();
    const config::ApiSettings& settings = work.snapshot->settings.api;
    auto plan = plan::make_plan(*api, get.body, *match.resource,
                                {.aggregates = settings.aggregates, .legacy_target_names = settings.legacy_target_names});
    if (!plan) return std::move(plan).error();
    return std::get<plan::Read>(std::move(*plan));
}

}  // namespace

bool has_condition(const message::Request& request) {
    return !request.header("If-Match").empty() || !request.header("If-None-Match").empty();
}

Error uncheckable(std::string why) {
    return Error::of(Fault::precondition_failed, "The condition cannot be checked").with_details(std::move(why));
}

Result<void> add_guard(Work& work, const routes::Match& match, const message::Request& request,
                       const representation::Representation& representation) {
    if (!has_condition(request)) return {};
    if (request.method == message::Method::post)
        return uncheckable("A POST adds to what its URL names; PUT, PATCH and DELETE change it.");
    if (representation.form.explain) return uncheckable("The answer would be a plan.");
    const message::Request get = as_get(request);
    auto read = plan_get(work, match, get);
    if (!read) return std::move(read).error();
    request::Window& window = read->root.window;
    window.limit = std::min(window.limit.value_or(rows_max + 1), rows_max + 1);
    auto guard = std::make_shared<Guard>();
    guard->shape.representation = representation;
    guard->script = sql::render(*read, {}, {.form = representation.form});
    guard->if_match = request.header("If-Match");
    guard->if_none_match = request.header("If-None-Match");
    guard->read = sql::put_before_main(work.script, {sql::lock_rows(*read), guard->script.statements[guard->script.main]}) + 1;
    guard->script.main = 0;  // of look_at's results
    work.guard = std::move(guard);
    return {};
}

std::optional<sql::Verdict> verdict(const Work& work) {
    auto of_reply = reply::verdict(work.shape, work.script);
    if (!work.guard) return of_reply;
    return [&work, next = std::move(of_reply)](const sql::Results& results) -> Result<void> {
        if (auto checked = check(work, results); !checked) return checked;
        return next ? (*next)(results) : Result<void>();
    };
}

}  // namespace millrace::pipeline
