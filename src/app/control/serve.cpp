// The first look at Postgres decides whether there is something to serve, something to mend, or someone to wait for.
#include <csignal>
#include <iostream>

#include "millrace/app/control.hpp"
#include "process.hpp"

namespace millrace::app {

int serve(Source source, Files files) {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is an error of the write, not the end of the process
    auto catalog = read_catalog(files);
    const Built first = build_snapshot(files, catalog ? *catalog : nullptr);
    if (!first.snapshot) {
        for (const config::Problem& problem : first.problems) std::cerr << config::to_line(problem) << '\n';
        return 2;
    }
    Process process(std::move(source), std::move(files));
    return process.run(first.snapshot);
}

}  // namespace millrace::app
