// The clocks of the shell: the pure half gets their readings as arguments.
#include <millrace/io/net.hpp>

namespace millrace::net {

TimePoint now() { return std::chrono::steady_clock::now(); }

WallTime wall_now() { return std::chrono::system_clock::now(); }

}  // namespace millrace::net
