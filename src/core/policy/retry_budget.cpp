// Decides whether what has failed may be tried once more, by how much was tried at all.
#include <algorithm>

#include "millrace/core/policy.hpp"

namespace millrace::policy {
namespace {

constexpr std::uint64_t one = 100;  // hundredths
constexpr std::uint64_t first = 10 * one, most = 100 * one;

}  // namespace

RetryBudget::RetryBudget(std::uint64_t percent) : percent_(percent), hundredths_(percent == 0 ? 0 : first) {}

void RetryBudget::requested() { hundredths_ = std::min(hundredths_ + percent_, most); }

bool RetryBudget::take() {
    if (hundredths_ < one) return false;
    hundredths_ -= one;
    return true;
}

}  // namespace millrace::policy
