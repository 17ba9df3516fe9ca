// What must be said in another way to what stands in front of us.
#include <string>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

// Varnish 7 answers 503 to a Content-Range without a unit ("0-9/*", which PostgREST's clients expect), and one with a unit that
// is not bytes ends its process. So it gets the field under another name, and gives it its own back
// (deploy/varnish/millrace.vcl). Each request that Varnish makes has X-Varnish; entries of our cache are not concerned, for
// this is done as an answer leaves.
void suit_front(const message::Request& request, message::Reply& reply) {
    if (!request.has_header("X-Varnish")) return;
    const std::string range(reply.headers.get("Content-Range"));
    if (range.empty()) return;
    reply.headers.remove("Content-Range");
    reply.headers.add("Millrace-Content-Range", range);
}

}  // namespace millrace::pipeline
