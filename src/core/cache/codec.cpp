// The form of an entry in Redis: version byte, checksum, then the fields, all integers little-endian.
#include <algorithm>
#include <concepts>

#include "millrace/core/cache.hpp"
#include "millrace/core/text.hpp"

namespace millrace::cache {
namespace {

constexpr char version = 2;
constexpr std::size_t head_bytes = 9;  // version and checksum
constexpr std::size_t xids_max = 10'000, tags_max = 10'000;
constexpr std::uint64_t moment_ms_max = 4'102'444'800'000;  // the year 2100; also far below what a Duration can hold

using std::chrono::duration_cast;
using std::chrono::milliseconds;

template <std::unsigned_integral T>
void append(std::string& out, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

void append(std::string& out, std::string_view bytes) {
    append(out, static_cast<std::uint32_t>(bytes.size()));
    out += bytes;
}

std::uint64_t word(const char* bytes, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return value;
}

// Against damage and mix-ups, not against an attacker.
std::uint64_t checksum(std::string_view payload, std::string_view key) { return text::hash64(payload, text::hash64(key)); }

// Takes fields from the front. Once something is missing, everything after is empty and `ok` stays false.
struct Reader {
    std::string_view left;
    bool ok = true;

    std::string_view take(std::size_t count) {
        if (count > left.size()) ok = false;
        if (!ok) return {};
        const auto taken = left.substr(0, count);
        left.remove_prefix(count);
        return taken;
    }
    std::uint64_t number(std::size_t bytes) {
        const auto taken = take(bytes);
        return word(taken.data(), taken.size());
    }
    std::string_view text() { return take(number(4)); }
    // How many follow, each of at least `least` bytes: never more than there is room for.
    std::size_t count(std::size_t most, std::size_t least) {
        const std::uint64_t n = number(4);
        if (n > most || n * least > left.size()) ok = false;
        return ok ? n : 0;
    }
};

void append_snapshot(std::string& out, const fence::PgSnapshot& snapshot) {
    append(out, snapshot.xmin);
    append(out, snapshot.xmax);
    append(out, static_cast<std::uint32_t>(snapshot.in_progress.size()));
    for (const fence::Xid xid : snapshot.in_progress) append(out, xid);
}

fence::PgSnapshot take_snapshot(Reader& in) {
    fence::PgSnapshot snapshot{in.number(8), in.number(8), {}};
    if (snapshot.xmin > snapshot.xmax) in.ok = false;
    snapshot.in_progress.resize(in.count(xids_max, 8));
    fence::Xid least = snapshot.xmin;
    for (fence::Xid& xid : snapshot.in_progress) {
        xid = in.number(8);
        if (xid < least || xid >= snapshot.xmax) in.ok = false;
        least = xid + 1;
    }
    return snapshot;
}

std::uint64_t take_ms(Reader& in) {
    const std::uint64_t ms = in.number(8);
    if (ms > moment_ms_max) in.ok = false;
    return ms;
}

// They go onto the wire as they are: whole lines, none of them empty, nothing that would end the head early.
bool are_header_lines(std::string_view lines) {
    while (!lines.empty()) {
        const auto end = lines.find_first_of(std::string_view("\r\n\0", 3));
        if (end == 0 || !lines.substr(std::min(end, lines.size())).starts_with("\r\n")) return false;
        lines.remove_prefix(end + 2);
    }
    return true;
}

bool is_etag(std::string_view etag) {
    return std::ranges::all_of(etag, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

}  // namespace

std::size_t Entry::bytes() const {
    constexpr std::size_t allocation = 16;
    std::size_t sum = sizeof(Entry) + 2 * allocation + header_lines.size() + etag.size();
    if (body) sum += sizeof(std::string) + 2 * allocation + body->size();
    for (const Variant& each : variants) {
        sum += sizeof(Variant) + allocation + each.header_lines.size();
        if (each.body) sum += sizeof(std::string) + 2 * allocation + each.body->size();
    }
    for (const fence::Tag& tag : tags) sum += sizeof(fence::Tag) + allocation + tag.size();
    return sum + snapshot.in_progress.size() * sizeof(fence::Xid);
}

const Variant* Entry::variant(coding::Coding coding) const {
    const auto found = std::ranges::find(variants, coding, &Variant::coding);
    return found == variants.end() ? nullptr : &*found;
}

std::string encode(const Entry& entry, std::string_view key) {
    std::string out(head_bytes, '\0');
    out.reserve(head_bytes + entry.bytes());
    append(out, static_cast<std::uint16_t>(entry.status));
    append(out, static_cast<std::uint64_t>(duration_cast<milliseconds>(entry.stored.time_since_epoch()).count()));
    append(out, static_cast<std::uint64_t>(duration_cast<milliseconds>(entry.fresh_for).count()));
    append_snapshot(out, entry.snapshot);
    append(out, static_cast<std::uint32_t>(entry.tags.size()));
    for (const fence::Tag& tag : entry.tags) append(out, tag);
    append(out, entry.header_lines);
    append(out, entry.etag);
    append(out, entry.body ? std::string_view(*entry.body) : std::string_view());
    std::string head(1, version);
    append(head, checksum(std::string_view(out).substr(head_bytes), key));
    return out.replace(0, head_bytes, head);
}

std::optional<Entry> decode(std::string_view bytes, std::string_view key) {
    if (bytes.size() < head_bytes || bytes.front() != version) return std::nullopt;
    Reader in{bytes.substr(head_bytes)};
    if (word(bytes.data() + 1, 8) != checksum(in.left, key)) return std::nullopt;
    Entry entry;
    entry.status = static_cast<int>(in.number(2));
    entry.stored = WallTime(milliseconds(take_ms(in)));
    entry.fresh_for = milliseconds(take_ms(in));
    entry.snapshot = take_snapshot(in);
    entry.tags.resize(in.count(tags_max, 4));
    for (fence::Tag& tag : entry.tags) tag = in.text();
    entry.header_lines = in.text();
    entry.etag = in.text();
    entry.body = std::make_shared<const std::string>(in.text());
    const bool sound = in.ok && in.left.empty() && entry.status >= 200 && entry.status <= 599 &&
                       are_header_lines(entry.header_lines) && is_etag(entry.etag);
    if (!sound) return std::nullopt;
    return entry;
}

}  // namespace millrace::cache
