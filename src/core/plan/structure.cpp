// Plans a request without its columns, to find what else is wrong with it.
#include "structure.hpp"

#include "locate.hpp"
#include "place.hpp"
#include "select.hpp"

namespace millrace::plan {
namespace {

using request::SelectItem;

// What is embedded, and aggregates as counts of rows, which need no column.
std::vector<SelectItem> without_columns(const std::vector<SelectItem>& items) {
    std::vector<SelectItem> out;
    for (const SelectItem& item : items) {
        if (const auto* column = std::get_if<request::SelectColumn>(&item.node)) {
            if (column->aggregate == request::Aggregate::none) continue;
            request::SelectColumn count;
            count.aggregate = request::Aggregate::count;
            out.push_back({std::move(count)});
            continue;
        }
        request::SelectEmbed embed = std::get<request::SelectEmbed>(item.node);
        embed.items = without_columns(embed.items);
        out.push_back({std::move(embed)});
    }
    return out;
}

Result<void> check_orders(ReadNode& root, const request::ApiRequest& request, const Options& options) {
    for (const auto& [path, terms] : request.orders) {
        auto node = locate(root, path, options);
        if (!node) return std::move(node).error();
        for (const request::OrderTerm& term : terms)
            if (auto resource = ordered_by(**node, term); !resource) return std::move(resource).error();
    }
    return {};
}

Result<void> check_structure(const request::ApiRequest& request, const routes::Resource& resource, const Options& options) {
    auto root = plan_select(resource, without_columns(request.select), options);
    if (!root) return std::move(root).error();
    for (const auto& placed : request.filters)
        if (auto node = locate(*root, placed.path, options); !node) return std::move(node).error();
    for (const auto& placed : request.windows)
        if (auto node = locate(*root, placed.path, options); !node) return std::move(node).error();
    return check_orders(*root, request, options);
}

}  // namespace

Error first_mistake(Error found, const request::ApiRequest& request, const routes::Resource& resource, const Options& options) {
    if (found.code != "42703") return found;  // undefined_column
    auto checked = check_structure(request, resource, options);
    return checked ? std::move(found) : std::move(checked).error();
}

}  // namespace millrace::plan
