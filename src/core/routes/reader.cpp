// Checks the types of a route table's values and puts what is wrong into words.
#include "reader.hpp"

#include <algorithm>

#include "millrace/core/text.hpp"

namespace millrace::routes {

std::string pointer_token(std::string_view key) {
    std::string out;
    for (char c : key) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

Place Place::at(const std::string& key) const { return {value.at(key), path + "/" + pointer_token(key)}; }

void Reader::problem(const std::string& path, std::string message, std::string suggestion) {
    problems_.push_back({file_, path.empty() ? "/" : path, std::move(message), std::move(suggestion)});
}

void Reader::unknown_key(const Place& place, const std::string& key, const std::vector<std::string>& known) {
    problem(place.path + "/" + pointer_token(key), "unknown key", text::closest(key, known).value_or(""));
}

bool Reader::is_object(const Place& place) {
    if (place.value.is_object()) return true;
    problem(place.path, "must be an object");
    return false;
}

bool Reader::read(const Place& place, std::string& out) {
    if (!place.value.is_string()) return problem(place.path, "must be a string"), false;
    out = place.value.get<std::string>();
    return true;
}

bool Reader::read(const Place& place, bool& out) {
    if (!place.value.is_boolean()) return problem(place.path, "must be true or false"), false;
    out = place.value.get<bool>();
    return true;
}

bool Reader::read(const Place& place, std::uint64_t& out) {
    if (!place.value.is_number_unsigned()) return problem(place.path, "must be a whole number, not negative"), false;
    out = place.value.get<std::uint64_t>();
    return true;
}

bool Reader::read(const Place& place, std::vector<std::string>& out) {
    if (!place.value.is_array()) return problem(place.path, "must be an array of strings"), false;
    std::vector<std::string> items;
    for (std::size_t i = 0; i < place.value.size(); ++i) {
        const Place item{place.value[i], place.path + "/" + std::to_string(i)};
        if (!read(item, items.emplace_back())) return false;
        if (std::ranges::find(items, items.back()) != items.end() - 1) return problem(item.path, "is there twice"), false;
    }
    out = std::move(items);
    return true;
}

bool Reader::read_date(const Place& place, std::optional<WallTime>& out) {
    std::string written;
    if (!read(place, written)) return false;
    const auto date = parse_date(written);
    if (!date) return problem(place.path, "must be a date such as \"2030-01-31\" or \"2030-01-31T12:00:00Z\""), false;
    out = date;
    return true;
}

std::optional<std::size_t> Reader::read_choice(const Place& place, const std::vector<std::string>& names) {
    std::string written;
    if (!read(place, written)) return std::nullopt;
    const auto found = std::ranges::find(names, written);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "\"" : ", \"") + name + "\"";
    problem(place.path, "must be one of " + all, text::closest(written, names).value_or(""));
    return std::nullopt;
}

}  // namespace millrace::routes
