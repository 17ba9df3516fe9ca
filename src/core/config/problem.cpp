// Puts a problem on one line, whatever bytes it quotes.
#include "millrace/core/config.hpp"
#include "millrace/core/text.hpp"

namespace millrace::config {
namespace {

std::string printable(std::string line) {
    const bool utf8 = text::valid_utf8(line);
    for (char& c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8)) c = '?';
    }
    return line;
}

}  // namespace

std::string to_line(const Problem& problem) {
    std::string line = problem.file;
    if (!problem.path.empty()) line += ": " + problem.path;
    line += ": " + problem.message;
    if (!problem.suggestion.empty()) line += "; did you mean \"" + problem.suggestion + "\"?";
    return printable(std::move(line));
}

}  // namespace millrace::config
