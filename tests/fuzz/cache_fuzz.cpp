// Whatever Redis or a NOTIFY brings: the readers of entries, snapshots and invalidations must not fall, and what they accept
// must come out again as it went in.
#include <cstdint>
#include <cstdlib>

#include "millrace/core/cache.hpp"

namespace cache = millrace::cache;
namespace fence = millrace::fence;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void read_entry(std::string_view input) {
    const auto entry = cache::decode(input, "key");
    if (entry) require(cache::encode(*entry, "key") == input);
}

void read_snapshots(std::string_view input) {
    const auto middle = input.size() / 2;
    const auto one = fence::PgSnapshot::parse(input.substr(0, middle));
    const auto other = fence::PgSnapshot::parse(input.substr(middle));
    if (one) require(one->contains(*one) && fence::PgSnapshot::parse(one->to_string()).has_value());
    if (one && other && one->contains(*other)) require(!other->sees(one->xmin) || one->sees(one->xmin));
}

void read_invalidation(std::string_view input) {
    const auto invalidation = fence::parse_invalidation(input);
    if (!invalidation) return;
    fence::Fence one(4, 1, 1);
    one.gap(fence::PgSnapshot{1, 1, {}});
    one.invalidate(*invalidation);
    require(!one.valid(fence::PgSnapshot{1, invalidation->xid, {}}, invalidation->tags));
}

// The checksum keeps the fuzzer out of decode's depths, so it also gets bytes whose checksum is made to fit.
void read_entry_with_fitting_checksum(std::string_view input) {
    cache::Entry entry;
    entry.body = std::make_shared<const std::string>(input);
    entry.header_lines = input.substr(0, input.size() / 2);
    entry.etag = input.substr(input.size() / 2);
    entry.tags = {std::string(input)};
    const auto decoded = cache::decode(cache::encode(entry, input), input);
    if (decoded) require(*decoded->body == input && decoded->header_lines == entry.header_lines);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    read_entry(input);
    read_snapshots(input);
    read_invalidation(input);
    read_entry_with_fitting_checksum(input);
    return 0;
}
