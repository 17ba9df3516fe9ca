// Names prepared statements and decides which one has to go.
#include "lane_statements.hpp"

#include <utility>

namespace millrace::pg {

const Prepared* Statements::find(const sql::Statement& statement) {
    const auto found = by_shape_.find(statement.shape);
    if (found == by_shape_.end() || found->second->text != statement.text) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &order_.front();
}

const Prepared& Statements::add(const sql::Statement& statement, std::optional<std::string>& evicted) {
    const auto same_shape = by_shape_.find(statement.shape);
    if (same_shape != by_shape_.end()) {
        evicted = remove(same_shape->second);  // another text with the same hash
    } else if (order_.size() >= most_) {
        evicted = remove(std::prev(order_.end()));
    }
    const auto number = ++last_number_;
    order_.push_front({statement.shape, number, "m" + std::to_string(number), statement.text});
    by_shape_[statement.shape] = order_.begin();
    return order_.front();
}

std::optional<std::string> Statements::forget(std::uint64_t shape, std::uint64_t number) {
    const auto found = by_shape_.find(shape);
    if (found == by_shape_.end() || found->second->number != number) return std::nullopt;
    return remove(found->second);
}

void Statements::clear() {
    order_.clear();
    by_shape_.clear();
}

std::string Statements::remove(Order::iterator place) {
    auto name = std::move(place->name);
    by_shape_.erase(place->shape);
    order_.erase(place);
    return name;
}

}  // namespace millrace::pg
