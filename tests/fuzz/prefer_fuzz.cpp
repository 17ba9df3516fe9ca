// Any bytes as Prefer fields: what is said to be applied was asked for, and nothing is both understood and unknown.
#include "input.hpp"
#include "millrace/core/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace millrace;
    std::string_view rest = fuzz::text_of(data, size);
    message::Request request;
    while (!rest.empty() && request.headers.size() < 8) request.headers.push_back({"Prefer", fuzz::take_line(rest)});
    const request::Preferences parsed = request::parse_prefer(request);
    fuzz::check(parsed.applied.size() <= 8 && parsed.unknown.size() <= 50);
    fuzz::check(parsed.timezone.size() <= size);
    for (const std::string& one : parsed.applied)
        for (const std::string& other : parsed.unknown) fuzz::check(one != other);
    return 0;
}
