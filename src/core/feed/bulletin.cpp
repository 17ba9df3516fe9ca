// Writes a bulletin as text and reads it again; texts in it are counted, so nothing in a name can end one.
#include <algorithm>
#include <charconv>

#include "millrace/core/feed.hpp"

namespace millrace::feed {
namespace {

constexpr std::string_view magic = "millrace 1";
constexpr std::size_t payload_bytes_max = 7'900;  // fence::parse_invalidation takes what NOTIFY can carry: 8,000
constexpr std::size_t xid_digits_max = 20;

void line(std::string& out, std::string_view word, std::initializer_list<std::uint64_t> numbers) {
    out += word;
    for (const std::uint64_t number : numbers) out += ' ' + std::to_string(number);
    out += '\n';
}

void counted(std::string& out, std::string_view word, std::string_view text) {
    line(out, word, {text.size()});
    out.append(text) += '\n';
}

// Takes words, numbers and counted texts from the front; once something does not fit, nothing does.
class Reader {
public:
    explicit Reader(std::string_view rest) : rest_(rest) {}

    bool take(std::string_view word) {
        if (!good_ || !rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    void expect(std::string_view word) { good_ = take(word) && good_; }
    template <class Number>
    Number number() {
        Number value = 0;
        expect(" ");
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        good_ = good_ && error == std::errc{};
        if (good_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return value;
    }
    std::string_view counted() {
        const auto size = number<std::size_t>();
        expect("\n");
        good_ = good_ && size < rest_.size();
        if (!good_) return {};
        const std::string_view text = rest_.substr(0, size);
        rest_.remove_prefix(size);
        expect("\n");
        return text;
    }
    [[nodiscard]] bool used_up() const { return good_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool good_ = true;
};

std::optional<Beat> read_beat(Reader& in) {
    Beat beat;
    beat.lag = std::chrono::microseconds(in.number<std::uint32_t>());
    beat.joinable = in.number<unsigned>() == 1;
    in.expect("\n");
    if (!in.take("snapshot")) return std::nullopt;
    auto snapshot = PgSnapshot::parse(in.counted());
    if (!snapshot) return std::nullopt;
    beat.snapshot = *std::move(snapshot);
    while (in.take("unseen")) beat.unseen.emplace_back(in.counted());
    return beat;
}

}  // namespace

std::string encode(const Bulletin& bulletin) {
    std::string out;
    line(out, magic,
         {bulletin.term, bulletin.sequence, bulletin.life.system_identifier, bulletin.life.timeline, bulletin.position});
    if (bulletin.from) line(out, "from", {*bulletin.from});
    for (const std::string& payload : bulletin.payloads) counted(out, "touched", payload);
    if (!bulletin.beat) return out;
    const auto lag = std::chrono::duration_cast<std::chrono::microseconds>(bulletin.beat->lag).count();
    line(out, "beat", {static_cast<std::uint64_t>(std::clamp<std::int64_t>(lag, 0, UINT32_MAX)), bulletin.beat->joinable});
    counted(out, "snapshot", bulletin.beat->snapshot.to_string());
    for (const std::string& payload : bulletin.beat->unseen) counted(out, "unseen", payload);
    return out;
}

std::optional<Bulletin> decode(std::string_view text) {
    if (text.size() > bulletin_bytes_max) return std::nullopt;
    Reader in(text);
    Bulletin bulletin;
    in.expect(magic);
    bulletin.term = in.number<std::uint64_t>();
    bulletin.sequence = in.number<std::uint64_t>();
    bulletin.life.system_identifier = in.number<std::uint64_t>();
    bulletin.life.timeline = in.number<std::uint32_t>();
    bulletin.position = in.number<Lsn>();
    in.expect("\n");
    if (in.take("from")) {
        bulletin.from = in.number<Lsn>();
        in.expect("\n");
    }
    while (in.take("touched")) bulletin.payloads.emplace_back(in.counted());
    if (in.take("beat")) {
        bulletin.beat = read_beat(in);
        if (!bulletin.beat) return std::nullopt;
    }
    if (!in.used_up()) return std::nullopt;
    return bulletin;
}

std::vector<std::string> payloads_of(Xid xid, const std::vector<std::string>& words) {
    std::vector<std::string> payloads;
    std::size_t room = 0;
    for (const std::string& word : words) {
        if (payloads.empty() || word.size() + 1 > room) {
            payloads.push_back(std::to_string(xid));
            room = payload_bytes_max - xid_digits_max;
        }
        payloads.back().append(" ").append(word);
        room -= std::min(room, word.size() + 1);
    }
    return payloads;
}

}  // namespace millrace::feed
