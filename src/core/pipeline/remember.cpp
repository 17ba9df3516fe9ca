// Which requests mean the same work, told by their bytes alone: a repeated read is not parsed and planned again.
#include "millrace/core/pipeline.hpp"
#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

// The fields that decide what a read gives, besides its target.
constexpr std::string_view deciding[] = {"Accept", "Prefer", "Range", "Range-Unit", "Accept-Profile"};

void append_part(std::string& out, std::string_view part) {
    out += part;
    out += '\n';  // cannot stand in a target or in a field's value
}

constexpr std::size_t target_bytes_max = 1024;  // longer ones are rare and would fill the memory of the others

}  // namespace

bool rememberable(const message::Request& request, const auth::Identity& identity) {
    const bool reads = request.method == message::Method::get || request.method == message::Method::head;
    return reads && !identity.authenticated && request.target.size() <= target_bytes_max;
}

void append_remember_key(std::string& out, const message::Request& request) {
    append_part(out, message::name(request.method));
    append_part(out, request.target);
    for (const std::string_view field : deciding) {
        for (const message::Header& header : request.headers)
            if (text::iequals(header.name, field)) append_part(out, header.value);
        out += '\n';
    }
}

}  // namespace millrace::pipeline
