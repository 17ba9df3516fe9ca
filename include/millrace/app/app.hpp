// The composition root: a process from its settings to its exit code.
#pragma once

namespace millrace::app {

// Runs the command line; the process's exit code: 0 good, 1 failed, 2 the command line or the configuration is wrong.
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace millrace::app
