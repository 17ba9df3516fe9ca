// Reads the path of the role claim and follows it. PostgREST, "JWT Role Extraction".
#include "role_path.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "millrace/core/text.hpp"

namespace millrace::auth {
namespace {

using Json = nlohmann::json;

constexpr std::size_t steps_max = 32;

bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '@' ||
           static_cast<unsigned char>(c) >= 0x80;
}

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::optional<std::vector<PathStep>> read() {
        take("$");
        std::vector<PathStep> out;
        while (!rest_.empty()) {
            auto step = take(".") ? member() : take("[") ? bracket() : std::nullopt;
            if (!step || out.size() == steps_max) return std::nullopt;
            // Only the last step may choose among several.
            const bool last = std::holds_alternative<Match>(*step);
            out.push_back(*std::move(step));
            if (last && !rest_.empty()) return std::nullopt;
        }
        if (out.empty()) return std::nullopt;
        return out;
    }

private:
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    std::optional<std::string> quoted() {
        const char quote = rest_.empty() ? '\0' : rest_.front();
        if (quote != '"' && quote != '\'') return std::nullopt;
        const auto end = rest_.find(quote, 1);
        if (end == std::string_view::npos) return std::nullopt;
        std::string out(rest_.substr(1, end - 1));
        rest_.remove_prefix(end + 1);
        return out;
    }

    std::optional<PathStep> member() {
        if (auto name = quoted()) return PathStep(*std::move(name));
        const auto end =
            std::min(static_cast<std::size_t>(std::ranges::find_if_not(rest_, in_name) - rest_.begin()), rest_.size());
        if (end == 0) return std::nullopt;
        PathStep step(std::string(rest_.substr(0, end)));
        rest_.remove_prefix(end);
        return step;
    }

    std::optional<PathStep> bracket() {
        if (take("?(")) return filter();
        std::optional<PathStep> step;
        if (auto name = quoted()) {
            step = PathStep(*std::move(name));
        } else {
            const auto digits = rest_.substr(0, rest_.find_first_not_of("0123456789"));
            const auto index = text::to_int(digits);
            if (!index) return std::nullopt;
            rest_.remove_prefix(digits.size());
            step = PathStep(static_cast<std::size_t>(*index));
        }
        if (!take("]")) return std::nullopt;
        return step;
    }

    // @ == "text", or with one of the other comparisons.
    std::optional<PathStep> filter() {
        static constexpr std::array<std::pair<std::string_view, Match::Kind>, 5> comparisons = {
            {{"==^", Match::Kind::ends},
             {"==", Match::Kind::equals},
             {"!=", Match::Kind::differs},
             {"^==", Match::Kind::starts},
             {"*==", Match::Kind::contains}}};
        if (!take("@")) return std::nullopt;
        rest_ = text::trim(rest_);
        const auto row = std::ranges::find_if(comparisons, [&](const auto& c) { return take(c.first); });
        if (row == comparisons.end()) return std::nullopt;
        rest_ = text::trim(rest_);
        auto wanted = quoted();
        if (!wanted || !take(")]")) return std::nullopt;
        return PathStep(Match{row->second, *std::move(wanted)});
    }

    std::string_view rest_;
};

bool matches(const Match& match, std::string_view text) {
    switch (match.kind) {
        case Match::Kind::equals:
            return text == match.text;
        case Match::Kind::differs:
            return text != match.text;
        case Match::Kind::starts:
            return text.starts_with(match.text);
        case Match::Kind::ends:
            return text.ends_with(match.text);
        case Match::Kind::contains:
            return text.find(match.text) != std::string_view::npos;
    }
    return false;
}

const Json* step_into(const Json& at, const PathStep& step) {
    if (const auto* name = std::get_if<std::string>(&step)) {
        const auto member = at.is_object() ? at.find(*name) : at.end();
        return member == at.end() ? nullptr : &*member;
    }
    if (!at.is_array()) return nullptr;
    if (const auto* index = std::get_if<std::size_t>(&step)) return *index < at.size() ? &at[*index] : nullptr;
    const Match& match = std::get<Match>(step);
    const auto element = std::ranges::find_if(
        at, [&](const Json& e) { return e.is_string() && matches(match, e.get_ref<const std::string&>()); });
    return element == at.end() ? nullptr : &*element;
}

}  // namespace

std::optional<std::vector<PathStep>> read_role_path(std::string_view path) { return Reader(path).read(); }

const Json* follow(const Json& claims, const std::vector<PathStep>& path) {
    const Json* at = &claims;
    for (const PathStep& step : path) {
        at = step_into(*at, step);
        if (at == nullptr) return nullptr;
    }
    return at;
}

}  // namespace millrace::auth
