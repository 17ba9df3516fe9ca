// Writes an event as one line of JSON.
#include "lines.hpp"

#include <charconv>
#include <concepts>

#include "millrace/core/text.hpp"
#include "terms.hpp"

namespace millrace::telemetry {
namespace {

using namespace events;

template <class E, class... Others>
concept OneOf = (std::same_as<E, Others> || ...);
template <class E>
concept CountedOnly =
    OneOf<E, ConnectionOpened, ConnectionClosed, LaneWaited, StatementFinished, LaneGauge, LaneRefused, StandbyRead, CacheSize,
          CacheEvicted, CacheFilled, CacheLease, CacheWaited, CacheUnkept, CacheRefreshed, UnfencedFor, RedisCall, ApiKeyLookup,
          LimitAsked, LimitRefused, ServiceAsked, ServiceChanged, IdempotencyKeyUsed, BatchFinished, InvalidationLag, SlotLag>;

constexpr std::size_t text_bytes_max = 512;
constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

struct LevelOf {
    using Answer = std::optional<Level>;

    Answer operator()(const RequestFinished& e) const { return e.status >= 500 ? Level::error : Level::info; }
    Answer operator()(const RequestRefused&) const { return Level::debug; }
    Answer operator()(const InvalidationSeen&) const { return Level::debug; }
    Answer operator()(const CachePurged&) const { return Level::info; }
    Answer operator()(const CacheChecked& e) const {
        return e.outcome == CheckOutcome::inconsistent ? std::optional(Level::error) : std::nullopt;
    }
    Answer operator()(const BackendUp& e) const { return e.up ? Level::info : Level::warn; }
    Answer operator()(const BreakerChanged& e) const { return e.open ? Level::warn : Level::info; }
    Answer operator()(const ServiceUnreachable&) const { return Level::warn; }
    Answer operator()(const AnnouncerChanged& e) const { return e.announcing || e.reason.empty() ? Level::info : Level::warn; }
    Answer operator()(const FenceChanged& e) const { return e.fenced ? Level::info : Level::warn; }
    Answer operator()(const Reloaded& e) const { return e.ok ? Level::info : Level::error; }
    Answer operator()(const Lifecycle&) const { return Level::info; }
    Answer operator()(const Fallen&) const { return Level::error; }
    template <CountedOnly E>
    Answer operator()(const E&) const {
        return std::nullopt;
    }
};

// Never cuts a character in two: the bytes that continue one are given back.
std::string_view bounded(std::string_view s) {
    if (s.size() <= text_bytes_max) return s;
    std::size_t end = text_bytes_max;
    while (end > text_bytes_max - 4 && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) --end;
    return s.substr(0, end);
}

void append_text(std::string& out, std::string_view s) {
    s = bounded(s);
    if (text::valid_utf8(s)) return text::append_json_string(out, s);
    std::string clean;
    for (char c : s) {
        if (static_cast<unsigned char>(c) < 0x80)
            clean += c;
        else
            clean += replacement;
    }
    text::append_json_string(out, clean);
}

void append_number(std::string& out, std::uint64_t number, std::size_t digits = 1) {
    char buffer[20];
    const auto length = static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof buffer, number).ptr - buffer);
    if (length < digits) out.append(digits - length, '0');
    out.append(buffer, length);
}

class Line {
public:
    explicit Line(std::string& out) : out_(out) { out_ += '{'; }

    Line& text(std::string_view key, std::string_view value) {
        append_text(start(key), value);
        return *this;
    }
    Line& number(std::string_view key, std::uint64_t value) {
        append_number(start(key), value);
        return *this;
    }
    Line& yes(std::string_view key, bool value) {
        start(key) += value ? "true" : "false";
        return *this;
    }
    Line& ms(std::string_view key, Duration took) {
        const auto micros = std::max<Duration>(took, Duration::zero()) / std::chrono::microseconds(1);
        append_number(start(key), static_cast<std::uint64_t>(micros / 1000));
        out_ += '.';
        append_number(out_, static_cast<std::uint64_t>(micros % 1000), 3);
        return *this;
    }
    Line& time(std::string_view key, WallTime now);
    Line& open(std::string_view key) {
        start(key) += '{';
        return *this;
    }
    Line& close() {
        out_ += '}';
        return *this;
    }

private:
    std::string& start(std::string_view key) {
        if (out_.back() != '{') out_ += ',';
        out_.append("\"").append(key).append("\":");
        return out_;
    }

    std::string& out_;
};

// RFC 3339, UTC, milliseconds.
Line& Line::time(std::string_view key, WallTime now) {
    using namespace std::chrono;
    const auto day = floor<days>(now);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<milliseconds>(now - day));
    std::string& out = start(key);
    out += '"';
    append_number(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
    append_number(out += '-', static_cast<unsigned>(date.month()), 2);
    append_number(out += '-', static_cast<unsigned>(date.day()), 2);
    append_number(out += 'T', static_cast<std::uint64_t>(clock.hours().count()), 2);
    append_number(out += ':', static_cast<std::uint64_t>(clock.minutes().count()), 2);
    append_number(out += ':', static_cast<std::uint64_t>(clock.seconds().count()), 2);
    append_number(out += '.', static_cast<std::uint64_t>(clock.subseconds().count()), 3);
    out += "Z\"";
    return *this;
}

struct Fields {
    Line& line;

    void operator()(const RequestFinished& e) const {
        line.text("event", "request").text("request_id", e.request_id).text("peer", e.peer).text("method", term(e.method));
        line.text("path", e.path.substr(0, e.path.find('?'))).text("version", e.version).text("route", e.route);
        line.number("status", static_cast<std::uint64_t>(std::max(e.status, 0)));
        line.number("bytes_in", e.bytes_in).number("bytes_out", e.bytes_out);
        line.text("cache", term(e.cache)).text("cache_reason", term(e.cache_reason)).text("role", e.role);
        line.open("ms").ms("total", e.total).ms("plan", e.plan).ms("lane_wait", e.lane_wait).ms("database", e.database);
        line.ms("redis", e.redis).ms("render", e.render).close();
        if (!e.error_code.empty()) line.text("error", e.error_code);
    }
    void operator()(const RequestRefused& e) const {
        line.text("event", "refused").text("code", e.code).number("status", static_cast<std::uint64_t>(std::max(e.status, 0)));
    }
    void operator()(const CachePurged& e) const { line.text("event", "purge").text("scope", e.scope).yes("hard", e.hard); }
    void operator()(const CacheChecked& e) const {
        line.text("event", "inconsistent").number("key_hash", e.key_hash).text("tags", e.tags);
    }
    void operator()(const InvalidationSeen& e) const {
        line.text("event", "invalidation").text("source", e.source).number("tags", e.tags);
    }
    void operator()(const BackendUp& e) const {
        line.text("event", "backend").text("backend", term(e.backend)).yes("up", e.up).text("reason", e.reason);
    }
    void operator()(const BreakerChanged& e) const {
        line.text("event", "breaker").text("backend", term(e.backend)).yes("open", e.open);
    }
    void operator()(const ServiceUnreachable& e) const {
        line.text("event", "service").text("version", e.version).text("route", e.route);
        line.text("address", e.address).text("reason", e.reason);
    }
    void operator()(const AnnouncerChanged& e) const {
        line.text("event", "announcer").yes("announcing", e.announcing).text("reason", e.reason);
    }
    void operator()(const FenceChanged& e) const {
        line.text("event", "fence").yes("fenced", e.fenced).text("reason", e.reason);
    }
    void operator()(const Reloaded& e) const {
        line.text("event", "reload").text("what", e.what).yes("ok", e.ok).text("detail", e.detail);
    }
    void operator()(const Lifecycle& e) const {
        line.text("event", "lifecycle").text("phase", e.phase).text("detail", e.detail);
    }
    void operator()(const Fallen& e) const { line.text("event", "fallen").text("where", e.where).text("what", e.what); }
    template <CountedOnly E>
    void operator()(const E&) const {}
};

}  // namespace

std::optional<Level> level_of(const Event& event) { return std::visit(LevelOf{}, event); }

bool is_audited(const RequestFinished& event) {
    using message::Method;
    const bool reads = event.method == Method::get || event.method == Method::head || event.method == Method::options;
    return !reads || event.status == 401 || event.status == 403 || event.status == 429;
}

void append_audit_line(std::string& out, const RequestFinished& e, WallTime now) {
    Line line(out);
    line.time("time", now).text("level", name(Level::info)).text("event", "audit").text("request_id", e.request_id);
    line.text("peer", e.peer).text("role", e.role).text("subject", e.subject).text("method", term(e.method));
    line.text("path", e.path.substr(0, e.path.find('?'))).text("version", e.version).text("route", e.route);
    line.number("status", static_cast<std::uint64_t>(std::max(e.status, 0)));
    if (!e.error_code.empty()) line.text("error", e.error_code);
    line.close();
}

void append_line(std::string& out, const Event& event, Level level, WallTime now) {
    Line line(out);
    line.time("time", now).text("level", name(level));
    std::visit(Fields{line}, event);
    line.close();
}

}  // namespace millrace::telemetry
