// The settings of a request's transaction: role, claims, headers, method and path, for policies, triggers and functions.
#include "session.hpp"

#include "millrace/core/text.hpp"

namespace millrace::pipeline {
namespace {

// {"host":"…","accept":"…"}; names in lower case. Credentials stay out: the claims say what they proved.
std::string headers_json(const message::Request& request) {
    std::string out = "{";
    for (const message::Header& header : request.headers) {
        if (text::iequals(header.name, "authorization") || text::iequals(header.name, "cookie")) continue;
        if (out.size() > 1) out += ',';
        text::append_json_string(out, text::lower(header.name));
        out += ':';
        text::append_json_string(out, header.value);
    }
    return out += '}';
}

}  // namespace

sql::Session session_of(const message::Request& request, const auth::Identity& identity, bool needed) {
    sql::Session session;
    if (!identity.authenticated && !needed) return session;
    session.role = identity.role;
    session.settings.emplace_back("request.jwt.claims", identity.claims_json);
    session.settings.emplace_back("request.method", message::name(request.method));
    session.settings.emplace_back("request.path", request.path);
    session.settings.emplace_back("request.headers", headers_json(request));
    return session;
}

}  // namespace millrace::pipeline
