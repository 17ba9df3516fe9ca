// JSON without the nulls of its objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::reply {

// `json` is valid, as everything is that Postgres prints as JSON.
void append_without_nulls(std::string& out, std::string_view json);

}  // namespace millrace::reply
