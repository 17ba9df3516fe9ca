// Entries in content codings: which there may be, and how they differ from the plain one.
#include <array>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {
namespace {

using coding::Coding;

constexpr std::array every = {Coding::gzip, Coding::zstd, Coding::br};

}  // namespace

std::span<const Coding> codings_for(std::size_t bytes, const config::CacheSettings& settings) {
    if (settings.compress_bytes_min == 0 || bytes < settings.compress_bytes_min) return {};
    return std::span(every).first(bytes < settings.compress_best_bytes_min ? 1 : every.size());
}

bool may_be_encoded(const cache::Entry& entry) {
    const auto headers = message::HeaderBlock::from_lines(entry.header_lines);
    return headers.get("Content-Encoding").empty() &&
           headers.get("Cache-Control").find("no-transform") == std::string_view::npos;
}

coding::Levels coding_levels(const config::CacheSettings& settings) {
    return {static_cast<int>(settings.gzip_level), static_cast<int>(settings.zstd_level),
            static_cast<int>(settings.brotli_level)};
}

cache::Variant make_variant(const cache::Entry& entry, Coding coding, std::optional<std::string> body) {
    cache::Variant variant;
    variant.coding = coding;
    if (!body) return variant;
    auto headers = message::HeaderBlock::from_lines(entry.header_lines);
    headers.set("ETag", message::tag_in(entry.etag, coding));
    headers.add("Content-Encoding", coding::name(coding));
    variant.header_lines = headers.lines();
    variant.body = std::make_shared<const std::string>(*std::move(body));
    return variant;
}

}  // namespace millrace::pipeline
