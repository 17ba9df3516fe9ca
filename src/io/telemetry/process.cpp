// Reads what the kernel says about this process.
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "metrics.hpp"

namespace millrace::telemetry {
namespace {

// proc(5): the fields of /proc/self/stat after the command's name, which may hold anything, are counted from 3.
std::string stat_field(int wanted) {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(") ");
    if (name_end == std::string::npos) return "0";
    std::istringstream fields(line.substr(name_end + 2));
    std::string field;
    for (int i = 3; i <= wanted; ++i) fields >> field;
    return field;
}

double number_of(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

double ticks_per_second() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

double boot_time_s() {
    std::ifstream file("/proc/stat");
    std::string key, value;
    while (file >> key) {
        if (key == "btime" && file >> value) return number_of(value);
        std::getline(file, value);
    }
    return 0;
}

}  // namespace

double cpu_seconds() { return (number_of(stat_field(14)) + number_of(stat_field(15))) / ticks_per_second(); }

double resident_bytes() { return number_of(stat_field(24)) * static_cast<double>(sysconf(_SC_PAGESIZE)); }

double open_descriptors() {
    std::error_code failed;
    double count = -1;  // the one that reads the directory
    for (std::filesystem::directory_iterator it("/proc/self/fd", failed), end; !failed && it != end; it.increment(failed))
        ++count;
    return std::max(count, 0.0);
}

double descriptors_max() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

double start_time_s() { return boot_time_s() + number_of(stat_field(22)) / ticks_per_second(); }

}  // namespace millrace::telemetry
