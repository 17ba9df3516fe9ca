// Any bytes as a Range: a window that no arithmetic overflows, nothing, or an error.
#include "input.hpp"
#include "millrace/core/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace millrace;
    const auto parsed = request::parse_range(fuzz::text_of(data, size));
    if (!parsed) {
        fuzz::check(parsed.error().status >= 400 && parsed.error().status < 500);
    } else if (*parsed) {
        fuzz::check((*parsed)->offset >= 0);
        fuzz::check(!(*parsed)->limit || *(*parsed)->limit >= 0);
    }
    return 0;
}
