// Functions and triggers may set headers and the status of the answer; what frames the message stays ours.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

using Json = nlohmann::ordered_json;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t xid_column = 0, headers_column = 1, status_column = 2, told_column = 3;
constexpr std::size_t fields_max = 100;
constexpr std::array framing = {"content-length", "transfer-encoding", "connection", "keep-alive",
                                "upgrade",        "trailer",           "date"};

// RFC 9110 §5.1 and §5.5.
bool is_name(std::string_view name) {
    static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}
bool is_value(std::string_view value) {
    return std::ranges::all_of(value, [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
}

// [{"Name": "value"}, …]
Result<Fields> read_fields(std::string_view text) {
    const Json list = Json::parse(text, nullptr, false);
    if (!list.is_array() || list.size() > fields_max) return Error::of(Fault::bad_response_headers);
    Fields fields;
    for (const Json& object : list) {
        if (!object.is_object() || object.size() != 1 || !object.begin()->is_string())
            return Error::of(Fault::bad_response_headers);
        const std::string &name = object.begin().key(), &value = object.begin()->get_ref<const std::string&>();
        if (!is_name(name) || !is_value(value)) return Error::of(Fault::bad_response_headers);
        if (std::ranges::find(framing, text::lower(name)) == framing.end()) fields.emplace_back(name, value);
    }
    return fields;
}

// A name's first value replaces ours, the others join it: Set-Cookie may come more than once.
void put(const Fields& fields, message::HeaderBlock& headers) {
    for (auto field = fields.begin(); field != fields.end(); ++field) {
        const bool is_first =
            std::none_of(fields.begin(), field, [&](const auto& before) { return text::iequals(before.first, field->first); });
        if (is_first)
            headers.set(field->first, field->second);
        else
            headers.add(field->first, field->second);
    }
}

}  // namespace

Result<void> apply_outcome(const sql::Rows& outcome, message::Reply& reply) {
    if (outcome.count() == 0) return {};
    if (!outcome.is_null(0, headers_column)) {
        auto fields = read_fields(outcome.at(0, headers_column));
        if (!fields) return std::move(fields).error();
        put(*fields, reply.headers);
    }
    if (outcome.is_null(0, status_column)) return {};
    const auto status = text::to_int(outcome.at(0, status_column));
    if (!status || *status < 200 || *status > 599) return Error::of(Fault::bad_response_status);
    reply.status = static_cast<int>(*status);
    return {};
}

std::optional<fence::Invalidation> own_invalidation(const Work& work, const sql::Rows& outcome) {
    if (outcome.count() == 0) return std::nullopt;
    const auto xid = text::to_int(outcome.at(0, xid_column));
    if (!xid || *xid <= 0) return std::nullopt;
    if (outcome.at(0, told_column).starts_with(' ')) {  // as the triggers write it; anybody may set the setting
        std::string payload(outcome.at(0, xid_column));
        payload += outcome.at(0, told_column);
        if (auto told = fence::parse_invalidation(payload)) return told;
    }
    fence::Invalidation written;
    written.xid = static_cast<fence::Xid>(*xid);
    for (const fence::Tag& table : work.invalidates) {
        written.tags.push_back(table);
        written.tags.push_back(fence::whole_tag(table));
    }
    return written;
}

}  // namespace millrace::pipeline
