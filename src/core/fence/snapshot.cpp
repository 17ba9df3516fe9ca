// What a Postgres snapshot sees, and whether one sees everything that another does.
#include <algorithm>
#include <charconv>
#include <iterator>

#include "millrace/core/fence.hpp"

namespace millrace::fence {
namespace {

constexpr std::size_t in_progress_max = 10'000;

// Takes the digits at the front; nothing when there are none or they overflow. Postgres never gives xid 0.
std::optional<Xid> take_xid(std::string_view& text) {
    Xid xid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), xid);
    if (error != std::errc{} || xid == 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return xid;
}

bool take_char(std::string_view& text, char wanted) {
    if (!text.starts_with(wanted)) return false;
    text.remove_prefix(1);
    return true;
}

// "xid,xid,…", rising, each within [xmin, xmax).
bool take_in_progress(std::string_view text, PgSnapshot& snapshot) {
    for (Xid least = snapshot.xmin; !text.empty();) {
        if (!snapshot.in_progress.empty() && !take_char(text, ',')) return false;
        const auto xid = take_xid(text);
        if (!xid || *xid < least || *xid >= snapshot.xmax) return false;
        if (snapshot.in_progress.size() == in_progress_max) return false;
        snapshot.in_progress.push_back(*xid);
        least = *xid + 1;
    }
    return true;
}

}  // namespace

std::optional<PgSnapshot> PgSnapshot::parse(std::string_view text) {
    const auto xmin = take_xid(text);
    if (!xmin || !take_char(text, ':')) return std::nullopt;
    const auto xmax = take_xid(text);
    if (!xmax || *xmax < *xmin || !take_char(text, ':')) return std::nullopt;
    PgSnapshot snapshot{*xmin, *xmax, {}};
    if (!take_in_progress(text, snapshot)) return std::nullopt;
    return snapshot;
}

std::string PgSnapshot::to_string() const {
    std::string out = std::to_string(xmin) + ':' + std::to_string(xmax) + ':';
    for (std::size_t i = 0; i < in_progress.size(); ++i) {
        if (i > 0) out += ',';
        out += std::to_string(in_progress[i]);
    }
    return out;
}

bool PgSnapshot::sees(Xid xid) const {
    if (xid < xmin) return true;
    return xid < xmax && !std::ranges::binary_search(in_progress, xid);
}

// For every xid below other.xmax that is not in progress in `other`: this must see it. So what this does not see below
// other.xmax, namely its own xids in progress and all from its xmax on, must be in progress in `other`.
bool PgSnapshot::contains(const PgSnapshot& other) const {
    if (xmin >= other.xmax) return true;
    const auto& theirs = other.in_progress;
    if (xmax < other.xmax) {
        const auto from = std::ranges::lower_bound(theirs, xmax);
        if (static_cast<Xid>(theirs.end() - from) != other.xmax - xmax) return false;  // rising and below xmax: all or not
    }
    const auto mine_end = std::ranges::lower_bound(in_progress, other.xmax);
    return std::includes(theirs.begin(), theirs.end(), in_progress.begin(), mine_end);
}

PgSnapshot join(const PgSnapshot& a, const PgSnapshot& b) {
    if (a.xmax > b.xmax) return join(b, a);
    PgSnapshot both{b.xmax, b.xmax, {}};
    std::ranges::copy_if(b.in_progress, std::back_inserter(both.in_progress), [&](Xid xid) { return !a.sees(xid); });
    if (!both.in_progress.empty()) both.xmin = both.in_progress.front();
    return both;
}

}  // namespace millrace::fence
