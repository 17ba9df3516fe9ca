// Plays a trace: a read is a hit when the store has an entry and the fence holds it valid, else it is read from "the database".
#include "replay.hpp"

#include "millrace/core/text.hpp"

namespace millrace::zipf {
namespace {

using fence::Tag;

constexpr std::string_view table = "shop.products";

std::string name_of(std::uint32_t key) { return "products?id=eq." + std::to_string(key); }

Tag bucket_of(std::uint32_t key) {
    const std::string text = std::to_string(key);
    return fence::key_tag(table, std::span(&text, 1));
}

// Rows of one table: of about the same size.
std::size_t body_bytes(std::uint32_t key) { return 250 + text::hash64(name_of(key)) % 200; }

// Postgres, as far as its snapshots are concerned: one transaction after the other, besides one that may stay open.
struct Database {
    explicit Database(bool open_write) {
        if (open_write) open.push_back(next++);
    }
    [[nodiscard]] fence::PgSnapshot snapshot() const { return {open.empty() ? next : open.front(), next, open}; }

    fence::Xid next = 1000;
    std::vector<fence::Xid> open;
};

std::shared_ptr<const cache::Entry> entry_of(std::uint32_t key, const Database& database, bool by_table) {
    cache::Entry entry;
    entry.header_lines = "Content-Type: application/json; charset=utf-8\r\nContent-Range: 0-0/*\r\n";
    entry.body = std::make_shared<const std::string>(body_bytes(key), 'x');
    entry.etag = "\"58277912f0e4589d-6c\"";
    entry.tags = by_table ? std::vector<Tag>{Tag(table)} : std::vector<Tag>{fence::whole_tag(table), bucket_of(key)};
    entry.snapshot = database.snapshot();
    return std::make_shared<const cache::Entry>(std::move(entry));
}

}  // namespace

Outcome replay(std::span<const Operation> trace, const ReplayOptions& options) {
    Database database(options.open_write);
    fence::Fence fence;
    cache::Store store(options.bytes_max);
    fence.gap(database.snapshot());
    Outcome outcome;
    for (std::size_t i = 0; i < trace.size(); ++i) {
        const auto [key, writes] = trace[i];
        if (i % options.beat_every == 0) fence.heartbeat(database.snapshot());
        if (writes) {
            fence.invalidate({{Tag(table), options.by_table ? Tag(table) : bucket_of(key)}, database.next++});
            continue;
        }
        const std::string name = name_of(key);
        const auto found = store.find(name);
        const bool hit = found && fence.valid(found->snapshot, found->tags);
        if (!hit) store.put(name, entry_of(key, database, options.by_table));
        outcome.reads += i >= options.warm_up;
        outcome.hits += hit && i >= options.warm_up;
    }
    return outcome;
}

std::size_t bytes_of(std::uint32_t key) {
    cache::Store store(1 << 20);
    store.put(name_of(key), entry_of(key, Database(false), false));
    return store.bytes();
}

}  // namespace millrace::zipf
