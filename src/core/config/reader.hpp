// The steps of load(): each takes one source and writes to the settings what is right and to the problems what is not.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "setting.hpp"

namespace millrace::config {

using Complaint = std::optional<std::string>;  // what is wrong, or nothing when the value was taken

[[nodiscard]] Complaint parse_listen(std::string_view text, Listen& listen);

// Takes a value when its type and its bounds are right.
[[nodiscard]] Complaint assign(const Setting& setting, const nlohmann::ordered_json& value, Settings& settings);
// The same for what came as text, from the environment or a flag.
[[nodiscard]] Complaint assign_text(const Setting& setting, std::string_view text, Settings& settings);

// How a source without structure names its settings.
struct Naming {
    std::string_view source;  // for messages
    std::string_view prefix;  // as a person writes it, "--" of a flag
    std::string (*name)(const Setting&);
    std::string_view file_suffix;  // of the name that holds the path of a secret
};

class Reader {
public:
    Reader(Loaded& loaded, const ReadFile& read_file) : loaded_(loaded), read_file_(read_file) {}

    void document(std::string_view text, const std::string& file);
    void environment(const Environment& environment);
    void flags(const Flags& flags);

private:
    void section(const std::string& name, const nlohmann::ordered_json& object, const std::string& file);
    void member(const std::string& section, const std::string& key, const nlohmann::ordered_json& value,
                const std::string& file);
    void named(const Naming& naming, const std::map<std::string, std::string>& values);
    void named_value(const Naming& naming, const std::string& name, const std::string& value);
    void secret_file(const Setting& setting, const std::string& path, Problem at);
    void report(Problem at, Complaint complaint);

    Loaded& loaded_;
    const ReadFile& read_file_;
};

// What is right for each setting alone but not together.
void check_together(Loaded& loaded, const std::string& file);

}  // namespace millrace::config
