// Content negotiation: which representation the reply will have (RFC 9110 §12.5.1).
#include <string>

#include "millrace/core/reply.hpp"

namespace millrace::reply {

Result<request::Media> choose_media(const std::vector<request::MediaRange>& accept) {
    using request::Media;
    if (accept.empty()) return Media::json;
    for (const request::MediaRange& range : accept) {
        if (range.quality <= 0) continue;
        switch (range.media) {
            case Media::any:
            case Media::json:
                return Media::json;
            case Media::singular:
                return Media::singular;
            case Media::array_stripped:
            case Media::singular_stripped:
            case Media::csv:
            case Media::geojson:
            case Media::openapi:
            case Media::plan:
            case Media::text:
            case Media::octet_stream:
            case Media::other:
                break;
        }
    }
    std::string wanted;
    for (const request::MediaRange& range : accept) wanted += (wanted.empty() ? "" : ", ") + range.text;
    return Error::of(Fault::not_acceptable, "None of these media types are available: " + wanted);
}

std::string_view content_type(request::Media media) {
    if (media == request::Media::singular) return "application/vnd.pgrst.object+json; charset=utf-8";
    if (media == request::Media::openapi) return "application/openapi+json; charset=utf-8";
    return "application/json; charset=utf-8";
}

}  // namespace millrace::reply
