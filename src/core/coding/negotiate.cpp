// Reads Accept-Encoding and chooses among the codings that there are.
#include <algorithm>
#include <array>

#include "millrace/core/coding.hpp"
#include "millrace/core/text.hpp"

namespace millrace::coding {
namespace {

constexpr std::size_t members_max = 32;  // nobody means more
constexpr int full = 1000, unmentioned = -1;
constexpr int mere_identity = 1;  // better than nothing, worse than whatever is named

// "0.5" → 500 (RFC 9110 §12.4.2). What is no weight counts as not taken: so nothing is sent that was not asked for.
int parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
    if (text.size() > 1 && text[1] != '.') return 0;
    int value = (text[0] - '0') * full, unit = full / 10;
    for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
        if (digit < '0' || digit > '9') return 0;
        value += (digit - '0') * unit;
        unit /= 10;
    }
    return std::min(value, full);
}

// ";q=0.5", perhaps among other parameters.
int weight_of(std::string_view parameters) {
    while (!parameters.empty()) {
        parameters.remove_prefix(1);
        const std::size_t end = std::min(parameters.find(';'), parameters.size());
        const std::string_view parameter = text::trim(parameters.substr(0, end));
        if (parameter.size() >= 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=')
            return parse_weight(parameter.substr(2));
        parameters.remove_prefix(end);
    }
    return full;
}

std::optional<Coding> coding_of(std::string_view token) {
    if (text::iequals(token, "x-gzip")) return Coding::gzip;  // RFC 9110 §8.4.1.3
    const auto* found =
        std::ranges::find_if(all_codings, [token](Coding coding) { return text::iequals(token, name(coding)); });
    return found == all_codings.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::string_view name(Coding coding) {
    switch (coding) {
        case Coding::identity:
            return "identity";
        case Coding::gzip:
            return "gzip";
        case Coding::zstd:
            return "zstd";
        case Coding::br:
            return "br";
    }
    return {};
}

Accepted::Accepted(std::string_view accept_encoding) {
    weights_.fill(unmentioned);
    int others = unmentioned;  // "*"
    std::size_t members = 0;
    for (std::string_view rest = accept_encoding; !rest.empty() && members < members_max; ++members) {
        const std::size_t comma = rest.find(',');
        const std::string_view member = text::trim(rest.substr(0, comma));
        const std::size_t semicolon = std::min(member.find(';'), member.size());
        const std::string_view token = text::trim(member.substr(0, semicolon));
        const int weight = weight_of(member.substr(semicolon));
        if (token == "*") others = weight;
        if (const auto coding = coding_of(token)) weights_[static_cast<std::size_t>(*coding)] = weight;
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    for (const Coding coding : all_codings) {
        int& weight = weights_[static_cast<std::size_t>(coding)];
        if (weight == unmentioned) weight = others;
        if (weight == unmentioned) weight = coding == Coding::identity ? mere_identity : 0;
    }
}

Coding Accepted::choose(std::span<const Coding> offered) const {
    Coding best = Coding::identity;
    for (const Coding coding : offered)
        if (takes(coding) && weight(coding) >= weight(best)) best = coding;
    return best;
}

}  // namespace millrace::coding
