// Times of a request's steps as milliseconds with one digit.
#include <chrono>

#include "millrace/core/reply.hpp"

namespace millrace::reply {
namespace {

void append(std::string& out, std::string_view name, Duration took) {
    const auto tenths = std::chrono::round<std::chrono::duration<std::int64_t, std::ratio<1, 10'000>>>(took).count();
    if (!out.empty()) out += ", ";
    out += name;
    out += ";dur=" + std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

}  // namespace

std::string server_timing(const Timings& timings) {
    std::string out;
    append(out, "jwt", timings.jwt);
    append(out, "parse", timings.parse);
    append(out, "plan", timings.plan);
    append(out, "transaction", timings.transaction);
    append(out, "response", timings.response);
    return out;
}

}  // namespace millrace::reply
