// The answers of all operations as one, or the first that failed as the failure of all.
#include <nlohmann/json.hpp>
#include <utility>

#include "millrace/core/batch.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"

namespace millrace::batch {
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024 * 1024;  // where limits.answer_bytes_max is none

// A field that is there twice has its values joined (RFC 9110 §5.3).
void append_headers(std::string& out, const message::HeaderBlock& headers) {
    nlohmann::ordered_json fields = nlohmann::ordered_json::object();
    for (std::string_view rest = headers.lines(); !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(std::min(line.size() + 2, rest.size()));
        const std::size_t colon = line.find(':');
        const std::string name(line.substr(0, colon));
        const std::string_view value = text::trim(line.substr(std::min(colon + 1, line.size())));
        const auto found = fields.find(name);
        fields[name] = found == fields.end() ? std::string(value) : found->get<std::string>() + ", " + std::string(value);
    }
    out += fields.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// JSON stays what it is, other text is a string of it.
Result<void> append_body(std::string& out, const message::Reply& reply) {
    const std::string_view body = reply.body.view();
    if (body.empty()) {
        out += "null";
    } else if (reply.headers.get("Content-Type").find("json") != std::string_view::npos && nlohmann::json::accept(body)) {
        out += body;
    } else if (text::valid_utf8(body)) {
        text::append_json_string(out, body);
    } else {
        return Error::of(Fault::bad_batch).with_details("Its answer is no text.");
    }
    return {};
}

Result<void> append_answer(std::string& out, const message::Reply& reply) {
    out += out.empty() ? "{\"results\":[" : ",";
    out += "{\"status\":" + std::to_string(reply.status) + ",\"headers\":";
    append_headers(out, reply.headers);
    out += ",\"body\":";
    auto appended = append_body(out, reply);
    out += '}';
    return appended;
}

// An answer that the database made of a failure is a failure.
Error refused(const message::Reply& reply) {
    Error error = Error::of(Fault::batch_failed);
    error.status = reply.status;
    error.message = "It was answered with " + std::to_string(reply.status);
    if (text::valid_utf8(reply.body.view()) && !reply.body.view().empty()) error.details = std::string(reply.body.view());
    return error;
}

Result<message::Reply> answer_of(const pipeline::Work& work, const message::Request& request, const sql::Results& results) {
    if (const auto judge = pipeline::closing(work))
        if (auto judged = (*judge)(results); !judged) return std::move(judged).error();
    auto reply = pipeline::finish(work, results);
    if (!reply) return reply;
    if (auto met = pipeline::apply_conditions(request, *reply); !met) return std::move(met).error();
    if (reply->status >= 400) return refused(*reply);
    if (request.method == message::Method::head) reply->body = {};
    return reply;
}

void add_token(const Plan& plan, std::size_t operation, const sql::Results& results, message::Reply& reply) {
    const pipeline::Work& work = *plan.works[operation];
    if (!work.script.outcome) return;
    if (const auto written = pipeline::own_invalidation(work, results[*work.script.outcome]))
        reply.headers.set("Consistency-Token", std::to_string(written->xid));
}

Result<void> fill(const Plan& plan, const std::vector<message::Request>& requests, const sql::Results& results,
                  message::Reply& reply) {
    const std::uint64_t wanted = plan.works.front()->snapshot->settings.limits.answer_bytes_max;
    const std::size_t most = wanted > 0 ? wanted : answer_bytes_max;
    std::string body;
    for (std::size_t i = 0; i < plan.works.size(); ++i) {
        const sql::Results own = results_of(plan, i, results);
        auto answer = answer_of(*plan.works[i], requests[i], own);
        if (!answer) return failed(i, answer.error());
        if (auto appended = append_answer(body, *answer); !appended) return failed(i, appended.error());
        if (body.size() > most)
            return Error::of(Fault::answer_too_large, "The answers of the batch are too large")
                .with_details("Nothing was done.");
        add_token(plan, i, own, reply);
    }
    reply.body = body + "]}";
    return {};
}

}  // namespace

Error failed(std::size_t operation, const Error& error) {
    const std::string inner(reply::from_error(error).body.view());
    Error out =
        Error::of(Fault::batch_failed, "Operation " + std::to_string(operation) + " of the batch failed, and nothing was done");
    out.status = error.status;
    out.headers = error.headers;
    out.details = "{\"operation\":" + std::to_string(operation) + ",\"error\":" + inner + "}";
    out.details_is_json = true;
    return out;
}

sql::Closing closing(const Plan& plan, const std::vector<message::Request>& requests, message::Reply& reply) {
    return [&plan, &requests, &reply](const sql::Results& results) -> Result<std::vector<sql::Statement>> {
        message::Reply made;
        const pipeline::Work& first = *plan.works.front();
        made.headers.add("Content-Type", "application/json; charset=utf-8");
        made.headers.add("Cache-Control", "no-store");
        routes::add_version_headers(first.api->table(), made.headers);
        if (auto filled = fill(plan, requests, results, made); !filled) return std::move(filled).error();
        reply = std::move(made);
        if (!plan.key) return std::vector<sql::Statement>();
        return idempotency::keep(*plan.key, reply, plan.role, first.snapshot->settings.idempotency);
    };
}

}  // namespace millrace::batch
