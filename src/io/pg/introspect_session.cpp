// Connects for the control plane, and keeps passwords out of what is said when that fails.
#include "introspect_session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

#include "connection_target.hpp"

namespace millrace::pg {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parse(const std::string& url, std::string* problem) {
    char* message = nullptr;
    Options options(PQconninfoParse(url.c_str(), &message), PQconninfoFree);
    if (message != nullptr) {
        if (problem != nullptr) *problem = message;
        PQfreemem(message);
    }
    return options;
}

Parameters given(const Options& options) {
    Parameters parameters;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
        if (option->val != nullptr) parameters.emplace_back(option->keyword, option->val);
    return parameters;
}

void replace_all(std::string& text, std::string_view what) {
    if (what.empty()) return;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 3)) text.replace(at, what.size(), "***");
}

// A URL that cannot be parsed may hold its password anywhere: then nothing of it is repeated.
std::string masked(const std::string& url, std::string text) {
    const Options options = parse(url, nullptr);
    if (!options) return "the database's URL is not valid";
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        if (option->val != nullptr && (keyword == "password" || keyword == "sslpassword")) replace_all(text, option->val);
    }
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

// A message as libpq writes it: "ERROR:  text\nDETAIL:  …".
std::string first_line(std::string_view text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    for (const std::string_view severity : {"ERROR:  ", "FATAL:  "})
        if (line.starts_with(severity)) return std::string(line.substr(severity.size()));
    return std::string(line);
}

}  // namespace

Result<std::string> connection_string(const std::string& url) {
    constexpr std::array defaults{std::pair<std::string_view, std::string_view>("connect_timeout", "10"),
                                  std::pair<std::string_view, std::string_view>("application_name", "millrace control"),
                                  std::pair<std::string_view, std::string_view>("client_encoding", "UTF8")};
    std::string problem;
    const Options options = parse(url, &problem);
    if (!options) return unreachable(url, problem);
    Parameters parameters = given(options);
    const auto by_default = [&](std::string_view keyword, std::string_view value) {
        if (std::ranges::none_of(parameters, [&](const auto& p) { return p.first == keyword; }))
            parameters.emplace_back(keyword, value);
    };
    for (const auto& [keyword, value] : defaults) by_default(keyword, value);
    if (names_several_hosts(parameters)) by_default("target_session_attrs", attributes_of_several);
    std::string out;
    for (const auto& [keyword, value] : parameters) append_parameter(out, keyword, value);
    return out;
}

Error unreachable(const std::string& url, std::string_view what) {
    return Error::of(Fault::database_unavailable, masked(url, std::string(what))).with_header("Retry-After", "1");
}

Error refusal(const std::string& url, Fault fault, const pqxx::sql_error& error) {
    Error made = Error::of(fault, masked(url, first_line(error.what())));
    if (fault == Fault::database_error) made.code = error.sqlstate();
    return made;
}

}  // namespace millrace::pg
