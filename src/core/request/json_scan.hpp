// One pass over a JSON text (RFC 8259) without building anything but the keys of its rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::request {

inline constexpr int json_depth_max = 128;

enum class JsonShape : std::uint8_t { object, array, scalar };

struct JsonScan {
    bool valid = false;
    JsonShape shape = JsonShape::scalar;
    std::size_t rows = 0;           // elements of the array; 1 for an object
    std::vector<std::string> keys;  // of the first row, each once
    bool uniform = true;            // every row is an object with the same keys
    bool too_many_keys = false;
    bool too_deep = false;  // then it is not valid either
};

[[nodiscard]] JsonScan scan_json(std::string_view text);

}  // namespace millrace::request
