// Any bytes as a CSV body: rows as JSON that a JSON library reads, one object a row with the header's keys.
#include <nlohmann/json.hpp>

#include "input.hpp"
#include "millrace/core/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace millrace;
    request::ApiRequest request;
    request.action = request::Action::insert;
    request.content_type = "text/csv";
    const auto payload = request::parse_payload(request, fuzz::text_of(data, size));
    if (!payload) {
        fuzz::check(payload.error().status == 400);
        return 0;
    }
    const auto rows = nlohmann::json::parse(payload->json, nullptr, false);
    fuzz::check(rows.is_array() && rows.size() == payload->rows);
    for (const auto& row : rows) fuzz::check(row.is_object() && row.size() <= payload->keys.size());
    return 0;
}
