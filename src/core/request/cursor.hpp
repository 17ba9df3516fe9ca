// A place in a text and the few moves a grammar makes on it. Parsing runs twice at most: fast and silent first, and only when
// that fails once more with a Trace, from which the message is made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/core/base.hpp"

namespace millrace::request {

// What would have been taken: a thing with a name, or a text that stands in quotes in the message.
struct Expectation {
    enum class Kind : std::uint8_t { name, literal, character };
    Kind kind = Kind::name;
    char character = '\0';
    std::string_view word;  // of the grammar itself, so it outlives every trace

    bool operator==(const Expectation&) const = default;
};

// What was found and what would have been taken at one place. Messages follow the rules of Parsec, whose wording the clients
// know from PostgREST: of two places the further one counts, and at the same place expectations add up. Plain data of fixed
// size, for each attempt saves one: a text made to fail late must not cost much more than one that parses.
struct Trace {
    static constexpr std::size_t expected_max = 16;
    static constexpr std::size_t nothing = std::string_view::npos;

    std::size_t at = 0;
    bool any = false;
    std::size_t unexpected_at = nothing;  // where the glyph stands that was found first
    std::size_t refused_at = nothing;     // of one that must not be there: named rather than the unexpected one
    std::size_t count = 0;
    std::array<Expectation, expected_max> expected;

    Trace() = default;
    Trace(std::size_t where, std::size_t found_at) : at(where), any(true), unexpected_at(found_at) {}
    Trace(const Trace& other) { *this = other; }
    Trace& operator=(const Trace& other);

    void add(const Expectation& one);
    void merge(const Trace& other);
    void relabel(std::string_view label);
    [[nodiscard]] std::string details(std::string_view text) const;
};

class Cursor {
public:
    explicit Cursor(std::string_view text, Trace* trace = nullptr) : text_(text), trace_(trace) {}

    [[nodiscard]] bool done() const { return at_ == text_.size(); }
    [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }
    [[nodiscard]] std::size_t at() const { return at_; }
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::string_view since(std::size_t start) const { return text_.substr(start, at_ - start); }
    [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
    [[nodiscard]] bool traced() const { return trace_ != nullptr; }

    // Each returns false when the text goes on differently. A failure that moved the cursor is final unless an attempt()
    // around it takes it back.
    bool take(char c);
    bool take_named(char c, std::string_view name);  // as take, but the expectation is called `name`
    bool take_any();
    bool literal(std::string_view word);
    bool literal_any_case(std::string_view lower_word);
    bool ahead(std::string_view word);  // looks without moving
    bool end();
    bool not_followed_by(char c);
    void skip_blanks();

    // Moves over bytes for which `wanted` holds and says how many; `names` are the expectations where it stopped.
    template <class Wanted>
    std::size_t take_while(Wanted wanted, std::initializer_list<std::string_view> names = {}) {
        const std::size_t start = at_;
        while (at_ < text_.size() && wanted(text_[at_])) ++at_;
        if (trace_ != nullptr) {
            if (at_ != start) forget();
            expect(names);
        }
        return at_ - start;
    }

    // Takes the whole of `parse` back when it fails.
    template <class Parse>
    bool attempt(Parse parse) {
        const std::size_t start = at_;
        if (trace_ == nullptr) {
            if (parse()) return true;
            at_ = start;
            return false;
        }
        Trace before = *trace_;
        if (parse()) return true;
        at_ = start;
        before.merge(*trace_);
        *trace_ = before;
        return false;
    }

    // When `parse` did not move, its expectations are called `label`.
    template <class Parse>
    bool labelled(std::string_view label, Parse parse) {
        if (trace_ == nullptr) return parse();
        const std::size_t start = at_;
        Trace before = std::exchange(*trace_, Trace{});
        const bool ok = parse();
        if (at_ != start) return ok;
        if (!ok || trace_->any) trace_->relabel(label);
        before.merge(*trace_);
        *trace_ = before;
        return ok;
    }

    // A bound was passed: the whole parse fails with this message, whatever alternatives are left.
    bool exceed(std::string_view message);
    [[nodiscard]] std::string_view exceeded() const { return exceeded_; }

private:
    void forget();
    void expect(std::initializer_list<std::string_view> names);
    void fail_at(std::size_t at, std::size_t found_at, Expectation one);

    std::string_view text_;
    std::size_t at_ = 0;
    Trace* trace_;
    std::string_view exceeded_;
};

// PGRST100. `shift`: how many characters stood before the text when PostgREST counts columns.
[[nodiscard]] Error parse_error(std::string_view what, std::string_view text, const Trace& trace, std::size_t shift = 0);
[[nodiscard]] Error bound_error(std::string_view what, std::string_view message);

// Runs `parse(cursor, value)` on the whole text.
template <class T, class Parse>
Result<T> parse_all(std::string_view what, std::string_view text, Parse parse, std::size_t shift = 0) {
    Cursor quick(text);
    T value;
    const bool ok = parse(quick, value) && quick.end();
    if (!quick.exceeded().empty()) return bound_error(what, quick.exceeded());
    if (ok) return value;
    Trace trace;
    Cursor slow(text, &trace);
    T ignored;
    if (parse(slow, ignored)) slow.end();
    return parse_error(what, text, trace, shift);
}

}  // namespace millrace::request
