// The process: argv in, exit code out.
#include "millrace/app/app.hpp"

int main(int argc, char** argv) { return millrace::app::run(argc, argv); }
