// What a fence knows as text for its peers, and what a peer's text adds to a fence. Lines of words: latest, floor and heard
// with a snapshot each, lost with a range, at with a snapshot that tags name by its number, tag with its state, purge with a
// tag.
#include <algorithm>
#include <charconv>

#include "millrace/core/fence.hpp"
#include "millrace/core/text.hpp"

namespace millrace::fence {
namespace {

constexpr std::string_view magic = "millrace-tags 1 ";
constexpr std::size_t bytes_max = std::size_t{64} << 20;
constexpr std::size_t digest_digits = 16;
constexpr std::size_t xids_max = 1'000;  // of one tag
constexpr std::string_view none = "-";

// Against damage and mix-ups, not against an attacker.
std::string digest(std::string_view body, std::string_view scope) {
    std::uint64_t hash = text::hash64(body, text::hash64(scope));
    std::string digits(digest_digits, '0');
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, hash >>= 4) *digit = "0123456789abcdef"[hash & 15];
    return digits;
}

std::optional<std::uint64_t> number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

std::optional<std::vector<Xid>> xids_of(std::string_view word, char separator) {
    std::vector<Xid> xids;
    if (word == none) return xids;
    for (const std::string_view digits : text::split(word, separator)) {
        const auto xid = number(digits);
        if (!xid || *xid == 0 || xids.size() == xids_max) return std::nullopt;
        xids.push_back(*xid);
    }
    return xids;
}

bool is_tag(std::string_view word) { return word == everything || word.size() > 1; }

}  // namespace

struct Fence::Published {
    Floor latest, floor, heard;
    Range lost, purged;
    std::vector<Floor> floors;
    std::vector<std::pair<Tag, State>> states;
    std::vector<std::pair<Tag, Range>> purges;

    [[nodiscard]] bool take_line(const std::vector<std::string_view>& words);
    [[nodiscard]] bool take_state(const std::vector<std::string_view>& words);
    [[nodiscard]] static bool take_range(std::string_view word, Range& range);
    [[nodiscard]] static bool take_snapshot(std::string_view word, Floor& floor);
};

bool Fence::Published::take_range(std::string_view word, Range& range) {
    const auto ends = xids_of(word, '-');
    if (word == none) return true;
    if (!ends || ends->size() != 2 || ends->front() > ends->back()) return false;
    range = {ends->front(), ends->back()};
    return true;
}

bool Fence::Published::take_snapshot(std::string_view word, Floor& floor) {
    auto snapshot = PgSnapshot::parse(word);
    if (!snapshot || floor) return false;
    floor = std::make_shared<const PgSnapshot>(std::move(*snapshot));
    return true;
}

bool Fence::Published::take_line(const std::vector<std::string_view>& words) {
    const std::string_view kind = words.front();
    if (kind == "tag") return words.size() == 5 && take_state(words);
    if (kind == "purge") {
        if (words.size() != 3 || !is_tag(words[1])) return false;
        return take_range(words[2], purges.emplace_back(words[1], Range{}).second);
    }
    if (words.size() != 2) return false;
    if (kind == "latest") return take_snapshot(words[1], latest);
    if (kind == "floor") return take_snapshot(words[1], floor);
    if (kind == "heard") return take_snapshot(words[1], heard);
    if (kind == "at") return take_snapshot(words[1], floors.emplace_back());
    if (kind == "lost") return take_range(words[1], lost);
    return kind == "purged" && take_range(words[1], purged);
}

// "tag", its name, the number of its floor, what is kept as a range, its xids.
bool Fence::Published::take_state(const std::vector<std::string_view>& words) {
    auto& [tag, state] = states.emplace_back(words[1], State{});
    auto ring = xids_of(words[4], ',');
    if (!is_tag(words[1]) || !ring || !take_range(words[3], state.lost)) return false;
    state.ring = std::move(*ring);
    if (words[2] == none) return true;
    const auto place = number(words[2]);
    if (!place || *place >= floors.size()) return false;
    state.floor = floors[*place];
    return true;
}

std::string Fence::encode_states(std::string_view scope) const {
    if (!fenced_) return {};
    const auto range = [](const Range& r) {
        return r.empty() ? std::string(none) : std::to_string(r.lowest) + '-' + std::to_string(r.highest);
    };
    std::string body = "latest " + latest_->to_string() + "\nfloor " + floor_->to_string() + "\nheard " + heard_->to_string() +
                       "\nlost " + range(lost_) + "\npurged " + range(purges_.rest) + '\n';
    std::unordered_map<const PgSnapshot*, std::size_t> floors;
    const auto append = [&](std::string_view tag, const State& state) {
        std::string floor(none);
        if (state.floor && !floor_->contains(*state.floor)) {
            const auto [place, is_new] = floors.try_emplace(state.floor.get(), floors.size());
            if (is_new) body += "at " + state.floor->to_string() + '\n';
            floor = std::to_string(place->second);
        }
        body.append("tag ").append(tag).append(" ").append(floor).append(" ").append(range(state.lost)).append(" ");
        for (const Xid xid : state.ring) body += std::to_string(xid) + ',';
        if (state.ring.empty()) body += "-,";
        body.back() = '\n';
    };
    append(everything, everything_);
    for (const State* state = newest_; state != nullptr; state = state->older) append(*state->tag, *state);
    for (const auto& [tag, kept] : purges_.ranges) body += "purge " + tag + ' ' + range(kept) + '\n';
    if (body.size() > bytes_max) return {};
    return std::string(magic) + digest(body, scope) + '\n' + body;
}

bool Fence::adopt_states(std::string_view bytes, std::string_view scope) {
    const std::size_t head = magic.size() + digest_digits + 1;
    if (!fenced_ || bytes.size() <= head || bytes.size() > head + bytes_max || !bytes.ends_with('\n')) return false;
    const std::string_view body = bytes.substr(head);
    if (bytes.substr(0, head) != std::string(magic) + digest(body, scope) + '\n') return false;
    Published theirs;
    for (std::string_view rest = body; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        if (!theirs.take_line(text::split(rest.substr(0, end), ' '))) return false;
        if (states_.size() + theirs.states.size() > tags_max_ + 1) return false;
        rest.remove_prefix(end + 1);
    }
    if (!theirs.latest || !theirs.floor || !theirs.heard) return false;
    const bool lower = floor_->contains(*theirs.floor) && !theirs.floor->contains(*floor_);
    if (!lower || !theirs.latest->contains(*floor_)) return false;
    adopt(theirs);
    return true;
}

void Fence::adopt(const Published& theirs) {
    ++version_;
    floor_ = theirs.floor;
    heard_ = heard_->contains(*theirs.heard) ? theirs.heard : heard_;
    lost_.add(theirs.lost);
    highest_ = std::max(highest_, theirs.lost.highest);
    for (const auto& [tag, state] : theirs.states) merge(tag, state);
    purges_.rest.add(theirs.purged);
    for (const auto& [tag, range] : theirs.purges) purges_.add(tag, range, purges_max_);
}

// They are older than our own, and so are the first to be folded; theirs come newest first.
void Fence::merge(const Tag& tag, const State& theirs) {
    auto found = tag == everything ? states_.end() : states_.find(tag);
    if (found == states_.end() && tag != everything) {
        found = states_.try_emplace(tag).first;
        found->second.tag = &found->first;
        found->second.generation = generation_ - 1;
        link_oldest(found->second);
    }
    State& ours = tag == everything ? everything_ : found->second;
    if (theirs.floor) raise(ours.floor, theirs.floor);
    owe(ours, theirs.lost);
    for (const Xid xid : theirs.ring)
        if (std::ranges::find(ours.ring, xid) == ours.ring.end()) ours.ring.push_back(xid);
    ours.highest = ours.lost.highest;
    for (const Xid xid : ours.ring) ours.highest = std::max(ours.highest, xid);
    highest_ = std::max(highest_, ours.highest);
    if (ours.ring.size() > ring_max_ + pending_max_) fold(ours);
}

}  // namespace millrace::fence
