// Prints config/millrace.schema.json, which editors complete from.
#include "value.hpp"

namespace millrace::config {
namespace {

using Json = nlohmann::ordered_json;

struct Describe {
    const Setting& setting;
    Json& out;

    void operator()(Access<Listen>) const {
        out["type"] = "string";
        out["pattern"] = "^(\\[[0-9A-Fa-f:.%a-z]+\\]|[0-9.]*|localhost):[0-9]{1,5}$";
    }
    void operator()(Access<std::uint64_t>) const {
        out["type"] = "integer";
        out["minimum"] = setting.bounds.least;
        out["maximum"] = setting.bounds.most;
    }
    void operator()(Access<bool>) const { out["type"] = "boolean"; }
    void operator()(Access<std::string>) const {
        out["type"] = "string";
        if (setting.bounds.least > 0) out["minLength"] = setting.bounds.least;
        out["maxLength"] = setting.bounds.most;
        for (std::string_view choice : setting.choices) out["enum"].push_back(std::string(choice));
    }
    void operator()(Access<std::vector<std::string>>) const {
        out["type"] = "array";
        out["items"] = {{"type", "string"}, {"minLength", 1}};
        out["maxItems"] = setting.bounds.most;
    }
};

Json property(const Setting& setting) {
    Json out = Json::object();
    std::visit(Describe{setting, out}, setting.field);
    Settings defaults;
    out["default"] = value_of(setting, defaults);
    out["description"] = std::string(setting.help) + " Environment: " + variable(setting) + ".";
    return out;
}

Json file_property(const Setting& setting) {
    return {{"type", "string"},
            {"minLength", 1},
            {"description", "Path of a file that holds " + std::string(setting.name) +
                                ", relative to this file. Environment: " + variable(setting) + "_FILE."}};
}

Json object(const std::string& description) {
    return {{"type", "object"}, {"description", description}, {"properties", Json::object()}, {"additionalProperties", false}};
}

}  // namespace

std::string json_schema() {
    Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "millrace"}};
    root.update(object("Settings of a millrace process. docs/configuration.md explains them."));
    Json& properties = root["properties"];
    properties["$schema"] = {{"type", "string"}, {"description", "Where this schema lies, for editors."}};
    for (const Section& section : sections_table())
        if (!section.name.empty()) properties[std::string(section.name)] = object(std::string(section.help));
    for (const Setting& setting : settings_table()) {
        Json& place = setting.section.empty() ? properties : properties[std::string(setting.section)]["properties"];
        place[std::string(setting.name)] = property(setting);
        if (setting.secret()) place[std::string(setting.name) + "_file"] = file_property(setting);
    }
    return root.dump(2) + "\n";
}

}  // namespace millrace::config
