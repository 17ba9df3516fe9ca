// Chooses between an entry's bodies, and has those made that are asked for and missing.
#include "compressor.hpp"

#include <memory>
#include <optional>

namespace millrace::app {

struct Compressor::Job {
    std::string key;
    EntryPointer entry;
    coding::Coding coding;
    coding::Levels levels;
    std::optional<std::string> made;
};

const cache::Variant* Compressor::choose(const std::string& key, const EntryPointer& entry, const message::Request& request,
                                         const config::CacheSettings& settings) {
    const auto offered = pipeline::codings_for(entry->body->size(), settings);
    if (offered.empty()) return nullptr;
    const std::string_view accept = request.header("Accept-Encoding");
    if (accept.empty()) return nullptr;
    const coding::Coding wanted = coding::Accepted(accept).choose(offered);
    if (wanted == coding::Coding::identity) return nullptr;
    const cache::Variant* variant = entry->variant(wanted);
    if (variant == nullptr) make(key, entry, wanted, settings);
    return variant != nullptr && variant->body ? variant : nullptr;
}

void Compressor::make(const std::string& key, const EntryPointer& entry, coding::Coding coding,
                      const config::CacheSettings& settings) {
    if (!pipeline::may_be_encoded(*entry)) return cache_.add_variant(key, *entry, pipeline::make_variant(*entry, coding, {}));
    const auto [place, is_new] = underway_.emplace(entry->body.get(), coding);
    if (!is_new) return;
    auto job = std::make_shared<Job>(Job{key, entry, coding, pipeline::coding_levels(settings), {}});
    const auto compress = [job] { job->made = coding::compress(job->coding, *job->entry->body, job->levels); };
    const bool taken = side_.run(compress, [this, job] { finish(*job); });
    if (!taken) underway_.erase(place);
}

void Compressor::finish(const Job& job) {
    underway_.erase({job.entry->body.get(), job.coding});
    cache_.add_variant(job.key, *job.entry, pipeline::make_variant(*job.entry, job.coding, job.made));
}

}  // namespace millrace::app
