// Decides whether a value fits a setting, and puts it there.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "millrace/core/text.hpp"
#include "reader.hpp"

namespace millrace::config {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(std::string_view text) {
    std::string out;
    text::append_json_string(out, text.substr(0, 60));
    return out;
}

std::string describe(const Setting& setting, const Json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "a list";
    if (value.is_string()) return setting.secret() ? "a text" : shown(value.get_ref<const std::string&>());
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string between(const Bounds& bounds) {
    return "between " + std::to_string(bounds.least) + " and " + std::to_string(bounds.most);
}

bool inside(const Bounds& bounds, std::uint64_t n) { return n >= bounds.least && n <= bounds.most; }

struct Assign {
    const Setting& setting;
    const Json& value;
    Settings& settings;

    Complaint operator()(Access<Listen> field) const {
        if (!value.is_string()) return must_be("a text");
        auto complaint = parse_listen(value.get_ref<const std::string&>(), field(settings));
        if (complaint) *complaint += ", is " + describe(setting, value);
        return complaint;
    }
    Complaint operator()(Access<std::uint64_t> field) const {
        if (!value.is_number_integer()) return must_be("a whole number");
        if (!value.is_number_unsigned() || !inside(setting.bounds, value.get<std::uint64_t>()))
            return must_be(between(setting.bounds));
        field(settings) = value.get<std::uint64_t>();
        return std::nullopt;
    }
    Complaint operator()(Access<bool> field) const {
        if (!value.is_boolean()) return must_be("true or false");
        field(settings) = value.get<bool>();
        return std::nullopt;
    }
    Complaint operator()(Access<std::string> field) const {
        if (!value.is_string()) return must_be("a text");
        const auto& text = value.get_ref<const std::string&>();
        if (auto complaint = check_text(text)) return complaint;
        field(settings) = text;
        return std::nullopt;
    }
    Complaint operator()(Access<std::vector<std::string>> field) const {
        if (!value.is_array()) return must_be("a list of texts");
        if (!inside(setting.bounds, value.size())) return "must have " + between(setting.bounds) + " items";
        std::vector<std::string> items;
        for (const Json& item : value) {
            if (!item.is_string() || item.get_ref<const std::string&>().empty())
                return "must be a list of texts that are not empty";
            items.push_back(item.get<std::string>());
        }
        field(settings) = std::move(items);
        return std::nullopt;
    }

    Complaint must_be(const std::string& what) const { return "must be " + what + ", is " + describe(setting, value); }

    Complaint check_text(const std::string& text) const {
        if (text.find('\0') != std::string::npos) return "must not contain a zero byte";
        if (!setting.choices.empty() && std::ranges::find(setting.choices, text) == setting.choices.end()) return no_choice();
        if (!inside(setting.bounds, text.size())) return "must have " + between(setting.bounds) + " bytes";
        return std::nullopt;
    }
    Complaint no_choice() const {
        std::string names;
        for (std::string_view choice : setting.choices) names.append(names.empty() ? "" : ", ").append(choice);
        return must_be("one of " + names);
    }
};

struct FromText {
    std::string_view text;

    Json operator()(Access<Listen>) const { return std::string(text); }
    Json operator()(Access<std::string>) const { return std::string(text); }
    Json operator()(Access<std::uint64_t>) const {
        const auto number = text::to_int(text);
        if (!number) return std::string(text);
        return *number < 0 ? Json(*number) : Json(static_cast<std::uint64_t>(*number));
    }
    Json operator()(Access<bool>) const {
        for (std::string_view yes : {"true", "on", "1"})
            if (text::iequals(text, yes)) return true;
        for (std::string_view no : {"false", "off", "0"})
            if (text::iequals(text, no)) return false;
        return std::string(text);
    }
    Json operator()(Access<std::vector<std::string>>) const {
        Json list = Json::array();
        for (std::string_view item : text::split(text, ','))
            if (!text::trim(item).empty()) list.push_back(std::string(text::trim(item)));
        return list;
    }
};

}  // namespace

Complaint assign(const Setting& setting, const Json& value, Settings& settings) {
    return std::visit(Assign{setting, value, settings}, setting.field);
}

Complaint assign_text(const Setting& setting, std::string_view text, Settings& settings) {
    return assign(setting, std::visit(FromText{text}, setting.field), settings);
}

}  // namespace millrace::config
