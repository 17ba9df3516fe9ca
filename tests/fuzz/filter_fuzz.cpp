// Any bytes as a filter, as a logic tree and as an order.
#include "input.hpp"
#include "millrace/core/request.hpp"

namespace {

using namespace millrace;

int depth_of(const request::FilterNode& node) {
    const auto* junction = std::get_if<request::Junction>(&node.node);
    if (junction == nullptr) return 1;
    int deepest = 0;
    for (const request::FilterNode& child : junction->children) deepest = std::max(deepest, depth_of(child));
    return deepest + 1;
}

template <class T>
void check_error(const Result<T>& parsed) {
    fuzz::check(parsed || parsed.error().status == 400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = fuzz::text_of(data, size);
    const std::string_view field = fuzz::take_line(rest);
    check_error(request::parse_condition(field, rest));
    for (const bool any : {false, true}) {
        const auto tree = request::parse_logic(any, !any, rest);
        check_error(tree);
        if (tree) fuzz::check(depth_of(*tree) <= 100);
    }
    const auto order = request::parse_order(field);
    check_error(order);
    if (order) fuzz::check(!order->empty() && order->size() <= 100);
    return 0;
}
