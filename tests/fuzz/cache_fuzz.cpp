// Whatever Redis or a NOTIFY brings: the readers of entries, snapshots and invalidations must not fall, and what they accept
// must come out again as it went in.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

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
    if (!invalidation->purged.empty()) require(one.purged(fence::PgSnapshot{1, invalidation->xid, {}}, invalidation->purged));
}

// What a peer has published, with a checksum that fits: what one fence takes, another takes from it.
void read_states(std::string_view input) {
    const fence::PgSnapshot joined{1000, 1000, {}};
    const std::string scope = "scope", body = std::string(input) + "\n";
    std::array<char, 17> digest{};
    std::snprintf(digest.data(), digest.size(), "%016llx",
                  static_cast<unsigned long long>(millrace::text::hash64(body, millrace::text::hash64(scope))));
    fence::Fence one(4, 1, 1), other(4, 1, 1);
    one.gap(joined);
    other.gap(joined);
    require(!one.adopt_states(input, scope));
    if (!one.adopt_states("millrace-tags 1 " + std::string(digest.data()) + "\n" + body, scope)) return;
    require(one.tags() <= 4 && other.adopt_states(one.encode_states(scope), scope));
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
    read_states(input);
    read_entry_with_fitting_checksum(input);
    return 0;
}
