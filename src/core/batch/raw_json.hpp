// Members of JSON objects and items of arrays as the bytes that they were written in: numbers keep all of their digits.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace millrace::batch {

// Of valid JSON only. Names are as written, with their quotes; nothing when the value is none of that kind.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> raw_members(std::string_view object);
[[nodiscard]] std::vector<std::string_view> raw_items(std::string_view array);

}  // namespace millrace::batch
