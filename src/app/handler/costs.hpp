// What shapes of reads were last estimated to cost. Bounded; an estimate is asked anew after a while, for tables grow.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "millrace/core/base.hpp"

namespace millrace::app {

class Costs {
public:
    [[nodiscard]] std::optional<double> find(std::uint64_t shape, TimePoint now) const {
        const auto known = by_shape_.find(shape);
        return known == by_shape_.end() || now >= known->second.until ? std::nullopt : std::optional(known->second.cost);
    }
    // Forgetting all at once is crude and cheap: what is asked for again comes back at the price of one EXPLAIN.
    void remember(std::uint64_t shape, double cost, TimePoint now) {
        if (by_shape_.size() >= shapes_max) by_shape_.clear();
        by_shape_.insert_or_assign(shape, Known{cost, now + holds_for});
    }
    void clear() { by_shape_.clear(); }

private:
    static constexpr std::size_t shapes_max = 4096;
    static constexpr Duration holds_for = std::chrono::minutes(1);
    struct Known {
        double cost = 0;
        TimePoint until;
    };
    std::unordered_map<std::uint64_t, Known> by_shape_;
};

}  // namespace millrace::app
