// Any bytes as a select: a tree of bounded depth and width whose names are UTF-8, or an error for the client.
#include "input.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/text.hpp"

namespace {

using namespace millrace;

std::size_t count(const std::vector<request::SelectItem>& items, int depth) {
    fuzz::check(depth < 100);
    std::size_t total = items.size();
    for (const request::SelectItem& item : items) {
        if (const auto* embed = std::get_if<request::SelectEmbed>(&item.node)) {
            fuzz::check(text::valid_utf8(embed->relation) && text::valid_utf8(embed->alias));
            total += count(embed->items, depth + 1);
        } else {
            const auto& column = std::get<request::SelectColumn>(item.node);
            fuzz::check(text::valid_utf8(column.field.column) && text::valid_utf8(column.alias));
            fuzz::check(column.field.json.size() <= 100);
        }
    }
    return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = fuzz::text_of(data, size);
    if (!text::valid_utf8(input)) return 0;  // a query string is, before it is taken apart
    const auto parsed = request::parse_select(input);
    if (parsed)
        fuzz::check(count(*parsed, 0) <= 1000);
    else
        fuzz::check(parsed.error().status == 400 && text::valid_utf8(parsed.error().message));
    return 0;
}
