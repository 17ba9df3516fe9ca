// Puts the sources in their order: defaults < file < environment < flags.
#include "millrace/core/peer.hpp"
#include "reader.hpp"

namespace millrace::config {
namespace {

void check_networks(const std::vector<std::string>& networks, Problem at, std::vector<Problem>& problems) {
    for (std::size_t i = 0; i < networks.size(); ++i) {
        const auto network = peer::Network::parse(networks[i]);
        if (!network) problems.push_back({at.file, at.path + "/" + std::to_string(i), network.error().message, ""});
    }
}

}  // namespace

Loaded load(std::string_view text, const std::string& file, const Environment& environment, const ReadFile& read_file,
            const Flags& flags, Settings base) {
    Loaded loaded;
    loaded.settings = std::move(base);
    Reader reader(loaded, read_file);
    reader.document(text, file);
    reader.environment(environment);
    reader.flags(flags);
    check_together(loaded, file.empty() ? "settings" : file);
    return loaded;
}

void check_together(Loaded& loaded, const std::string& file) {
    const CacheSettings& cache = loaded.settings.cache;
    if (cache.heartbeat_ms >= cache.lag_limit_ms)
        loaded.problems.push_back(
            {file, "/cache/heartbeat_ms", "must be shorter than lag_limit_ms, or the cache is never used", ""});
    const bool used = cache.memory_bytes_max > 0;
    if (used && cache.entry_bytes_max > cache.memory_bytes_max)
        loaded.problems.push_back({file, "/cache/entry_bytes_max", "must not be more than memory_bytes_max", ""});
    const LimitSettings& limits = loaded.settings.limits;
    if (limits.rate_burst > 0 && limits.rate_per_s == 0)
        loaded.problems.push_back({file, "/limits/rate_burst", "has no meaning while rate_per_s is 0", ""});
    check_networks(loaded.settings.proxies.trusted, {file, "/proxies/trusted", "", ""}, loaded.problems);
    check_networks(loaded.settings.proxies.protocol, {file, "/proxies/protocol", "", ""}, loaded.problems);
}

}  // namespace millrace::config
