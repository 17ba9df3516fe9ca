// Whatever comes out of a slot or off the channel: it is read or refused, and what was read can be put together or is refused.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "millrace/core/feed.hpp"
#include "millrace/core/replication.hpp"

using namespace millrace;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (const auto bulletin = feed::decode(input)) {
        const auto again = feed::decode(feed::encode(*bulletin));
        if (!again || feed::encode(*again) != feed::encode(*bulletin)) __builtin_trap();
    }
    static_cast<void>(replication::read_frame(input));
    // A stream of messages, each with its length in one byte before it.
    replication::Assembler assembler;
    for (std::string_view rest = input; !rest.empty();) {
        const auto length = std::min<std::size_t>(static_cast<unsigned char>(rest.front()), rest.size() - 1);
        const auto message = replication::read_message(rest.substr(1, length));
        rest.remove_prefix(1 + length);
        if (!message) continue;
        if (const auto* relation = std::get_if<replication::Relation>(&*message)) {
            static_cast<void>(assembler.learn(*relation, {{{"a.parent", true}}, {"id"}}));
        } else if (assembler.take(*message)) {
            if (const auto ended = assembler.finished()) static_cast<void>(feed::payloads_of(ended->xid, ended->words));
        }
    }
    return 0;
}
