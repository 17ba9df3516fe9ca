// The command line: which command, with which settings.
#include "millrace/app/app.hpp"

namespace millrace::app {

int run(int, const char* const*) { return 2; }

}  // namespace millrace::app
