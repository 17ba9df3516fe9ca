// How a reply looks on the wire.
#pragma once

#include <array>
#include <millrace/core/message.hpp>
#include <random>
#include <string>
#include <string_view>

namespace millrace::http {

// What the request and the connection say about the form of its reply.
struct ReplyForm {
    bool head_only = false;  // HEAD: every field, no body
    bool http_1_0 = false;   // staying open must be said
    bool close = false;
    bool streams = false;  // the body's length is not known: in chunks, or until the connection ends
    std::string_view request_id;
};

class ReplyWriter {
public:
    explicit ReplyWriter(std::string_view server_name);

    // Appends everything up to the body; tells whether the body follows.
    bool append_head(std::string& out, const message::Reply& reply, const ReplyForm& form, TimePoint now);

private:
    void refresh_date(TimePoint now);

    std::string server_line_, date_line_;
    TimePoint date_until_{};
};

// Ids for requests that bring none.
class RequestIds {
public:
    RequestIds();
    void make(std::string& id);  // 32 hex digits
    // May this be echoed: 1 to 128 visible ASCII characters?
    [[nodiscard]] static bool valid(std::string_view id);

private:
    std::mt19937_64 random_;
};

}  // namespace millrace::http
