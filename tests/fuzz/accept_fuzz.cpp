// Any bytes as Accept: ranges by falling weight, and a content type for each that can be sent as a field's value.
#include "input.hpp"
#include "millrace/core/representation.hpp"
#include "millrace/core/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace millrace;
    const auto ranges = request::parse_accept(fuzz::text_of(data, size));
    double before = 1.0;
    for (const request::MediaRange& range : ranges) {
        fuzz::check(range.quality >= 0 && range.quality <= before);
        before = range.quality;
        fuzz::check(range.plan.has_value() == (range.media == request::Media::plan));
    }
    const auto chosen = representation::choose(ranges, {});
    fuzz::check(chosen || chosen.error().status == 406);
    if (chosen) fuzz::check(chosen->content_type.find_first_of("\r\n") == std::string::npos);
    return 0;
}
