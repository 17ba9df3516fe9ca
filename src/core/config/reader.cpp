// Takes settings from a file, from the environment and from flags, and suggests what an unknown name was meant to be.
#include "reader.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "document.hpp"
#include "millrace/core/text.hpp"

namespace millrace::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* twice = "is set both here and by a file; set one of the two";
constexpr std::array own_variables = {std::string_view("MILLRACE_CONFIG")};  // read by the command line itself

bool is_section(std::string_view name) {
    return std::ranges::any_of(sections_table(), [&](const Section& s) { return !s.name.empty() && s.name == name; });
}

// Kubernetes sets MILLRACE_SERVICE_HOST, MILLRACE_PORT, MILLRACE_PORT_8080_TCP… in every pod beside a Service named millrace.
bool set_by_kubernetes(std::string_view name) {
    if (name.find("_SERVICE_HOST") != std::string_view::npos || name.find("_SERVICE_PORT") != std::string_view::npos)
        return true;
    const auto port = name.find("_PORT");
    if (port == std::string_view::npos) return false;
    const std::string_view rest = name.substr(port + 5);
    return rest.empty() || (rest.size() > 1 && rest[0] == '_' && rest[1] >= '0' && rest[1] <= '9');
}

const Naming by_variable{"environment", "", variable, "_FILE"};
const Naming by_flag{"command line", "--", flag, "-file"};

void add_names(std::vector<std::string>& names, const Setting& setting, std::string name, std::string_view file_suffix) {
    if (setting.secret()) names.push_back(name + std::string(file_suffix));
    names.push_back(std::move(name));
}

std::vector<std::string> keys_of(std::string_view section) {
    std::vector<std::string> names;
    for (const Setting& setting : settings_table())
        if (setting.section == section) add_names(names, setting, std::string(setting.name), "_file");
    if (!section.empty()) return names;
    for (const Section& s : sections_table())
        if (!s.name.empty()) names.emplace_back(s.name);
    return names;
}

std::string meant(const Naming& naming, std::string_view word) {
    std::vector<std::string> names;
    for (const Setting& setting : settings_table()) add_names(names, setting, naming.name(setting), naming.file_suffix);
    const auto closest = text::closest(word, names);
    return closest ? std::string(naming.prefix) + *closest : "";
}

std::string beside(const std::string& file, const std::string& path) {
    const auto slash = file.rfind('/');
    if (path.starts_with('/') || slash == std::string::npos) return path;
    return file.substr(0, slash + 1) + path;
}

}  // namespace

void Reader::report(Problem at, Complaint complaint) {
    if (!complaint) return;
    at.message = *std::move(complaint);
    loaded_.problems.push_back(std::move(at));
}

void Reader::secret_file(const Setting& setting, const std::string& path, Problem at) {
    auto content = read_file_ ? read_file_(path) : std::nullopt;
    if (!content) return report(std::move(at), "cannot read the file \"" + path + "\"");
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    report(std::move(at), assign(setting, *content, loaded_.settings));
}

void Reader::document(std::string_view text, const std::string& file) {
    if (text.empty()) return;
    Document parsed = parse_document(text, file);
    std::ranges::move(parsed.problems, std::back_inserter(loaded_.problems));
    if (!parsed.root) return;
    for (const auto& [key, value] : parsed.root->items()) {
        if (key == "$schema") continue;
        if (is_section(key))
            section(key, value, file);
        else
            member("", key, value, file);
    }
}

void Reader::section(const std::string& name, const Json& object, const std::string& file) {
    if (!object.is_object()) return report({file, "/" + name, "", ""}, "must be an object: { … }");
    for (const auto& [key, value] : object.items()) member(name, key, value, file);
    for (const Setting& setting : settings_table())
        if (setting.section == name && setting.secret() && object.contains(setting.name) &&
            object.contains(std::string(setting.name) + "_file"))
            report({file, pointer(setting), "", ""}, twice);
}

void Reader::member(const std::string& section, const std::string& key, const Json& value, const std::string& file) {
    Problem at{file, "/" + (section.empty() ? key : section + "/" + key), "", ""};
    if (const Setting* setting = find_setting(section, key))
        return report(std::move(at), assign(*setting, value, loaded_.settings));
    const Setting* secret = key.ends_with("_file") ? find_setting(section, key.substr(0, key.size() - 5)) : nullptr;
    if (secret != nullptr && secret->secret()) {
        if (!value.is_string()) return report(std::move(at), "must be a path");
        return secret_file(*secret, beside(file, value.get<std::string>()), std::move(at));
    }
    at.suggestion = text::closest(key, keys_of(section)).value_or("");
    report(std::move(at), "unknown key");
}

void Reader::environment(const Environment& environment) {
    std::map<std::string, std::string> ours;
    for (const auto& [name, value] : environment)
        if (name.starts_with("MILLRACE_") && std::ranges::count(own_variables, name) == 0 && !set_by_kubernetes(name))
            ours.emplace(name, value);
    named(by_variable, ours);
}

void Reader::flags(const Flags& flags) { named(by_flag, flags); }

void Reader::named(const Naming& naming, const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) named_value(naming, name, value);
    for (const Setting& setting : settings_table()) {
        const std::string name = naming.name(setting);
        if (setting.secret() && values.contains(name) && values.contains(name + std::string(naming.file_suffix)))
            report({std::string(naming.source), std::string(naming.prefix) + name, "", ""}, twice);
    }
}

void Reader::named_value(const Naming& naming, const std::string& name, const std::string& value) {
    Problem at{std::string(naming.source), std::string(naming.prefix) + name, "", ""};
    for (const Setting& setting : settings_table()) {
        const std::string own = naming.name(setting);
        if (name == own) return report(std::move(at), assign_text(setting, value, loaded_.settings));
        if (setting.secret() && name == own + std::string(naming.file_suffix))
            return secret_file(setting, value, std::move(at));
    }
    at.suggestion = meant(naming, name);
    report(std::move(at), "unknown setting");
}

}  // namespace millrace::config
