// What reading our own files and reading PostgREST's settings share.
#pragma once

#include "millrace/app/snapshot.hpp"

namespace millrace::app {

void read_keys(const Source& source, Files& files);
void check_redis(const Source& source, Files& files);
void read_certificates(const Source& source, Files& files);
void read_authorities(Files& files);

// Where a file is that another one names relative to itself.
[[nodiscard]] std::string beside(const std::string& file, const std::string& named);

[[nodiscard]] Files read_postgrest_files(const Source& source);

}  // namespace millrace::app
