// The control thread: it listens to Postgres, reloads files and catalog, answers the admin listener, and ends the process in
// order. Requests never wait for it.
#pragma once

#include "millrace/app/snapshot.hpp"

namespace millrace::app {

// Serves until SIGTERM or SIGINT; the process's exit code. `files` were read from `source` and have no problems. When Postgres
// is there and the route tables do not fit it, that is said on stderr and the code is 2; when it is not there, the process
// starts, answers 503 and serves as soon as it is.
[[nodiscard]] int serve(Source source, Files files);

}  // namespace millrace::app
