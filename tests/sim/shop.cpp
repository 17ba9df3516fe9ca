// Which cells, tags and key a question has.
#include "shop.hpp"

#include <algorithm>
#include <cstring>

namespace millrace::sim {
namespace {

constexpr std::array<std::string_view, questions> routes = {"items",  "items", "items", "items",
                                                            "orders", "both",  "notes", "rpc/call"};
constexpr std::array<std::string_view, questions> route_tags = {"@v1/items",  "@v1/items", "@v1/items", "@v1/items",
                                                                "@v1/orders", "@v1/both",  "@v1/notes", "@v1/rpc/call"};

bool by_key(Question question) { return question <= Question::item2; }

std::vector<std::string_view> read_at_large(Question question) {
    switch (question) {
        case Question::items:
            return {"api.items"};
        case Question::orders:
            return {"api.orders"};
        case Question::both:
            return {"api.items", "api.orders"};
        case Question::notes:
            return {"api.notes"};
        case Question::item0:
        case Question::item1:
        case Question::item2:
        case Question::call:
            break;
    }
    return {};
}

}  // namespace

std::vector<std::size_t> cells_of(Question question, Identity who) {
    switch (question) {
        case Question::item0:
            return {0};
        case Question::item1:
            return {1};
        case Question::item2:
            return {2};
        case Question::items:
            return {0, 1, 2};
        case Question::orders:
            return {3, 4};
        case Question::both:
            return {0, 1, 2, 3, 4};
        case Question::notes:
            return {std::size_t{5} + who.claim};
        case Question::call:
            return {1};
    }
    return {};
}

std::string_view route_tag(Question question) { return route_tags[static_cast<std::size_t>(question)]; }

std::vector<fence::Tag> tags_of(Question question, Fault fault) {
    std::vector<fence::Tag> tags{"@v1", fence::Tag(route_tag(question))};
    if (by_key(question)) {
        const Row& row = rows[cells_of(question, {}).front()];
        tags.push_back(fence::Tag(row.table) + '#' + std::string(row.bucket));
        if (fault != Fault::key_without_whole_tag) tags.push_back(fence::whole_tag(row.table));
    }
    for (const std::string_view table : read_at_large(question)) tags.emplace_back(table);
    std::ranges::sort(tags);
    return tags;
}

namespace {

std::string key_of(Question question, Identity who, Fault fault) {
    constexpr std::array<std::string_view, 2> roles = {"anon", "clerk"}, claims = {"{\"sub\":0}", "{\"sub\":1}"};
    constexpr std::array<std::string_view, questions> queries = {"id=eq.0", "id=eq.1", "id=eq.2", "", "", "", "", ""};
    cache::KeyParts parts;
    parts.version = "v1";
    parts.resource = routes[static_cast<std::size_t>(question)];
    parts.query = queries[static_cast<std::size_t>(question)];
    parts.media = "application/json";
    if (fault != Fault::role_left_out_of_key) parts.role = roles[who.role];
    if (by_claims(question) && fault != Fault::claims_left_out_of_key) parts.claims = claims[who.claim];
    return cache::make_key(parts);
}

}  // namespace

std::array<std::string, places> keys(Fault fault) {
    std::array<std::string, places> all;
    for (std::size_t i = 0; i < places; ++i) {
        const Identity who{static_cast<std::uint8_t>(i >> 1 & 1), static_cast<std::uint8_t>(i & 1)};
        all[i] = key_of(static_cast<Question>(i / 4), who, fault);
    }
    return all;
}

std::string Answer::to_bytes() const {
    std::string bytes(sizeof(Answer), '\0');
    std::memcpy(bytes.data(), this, sizeof(Answer));
    return bytes;
}

Answer Answer::from_bytes(std::string_view bytes) {
    Answer answer;
    std::memcpy(&answer, bytes.data(), std::min(bytes.size(), sizeof(Answer)));
    return answer;
}

}  // namespace millrace::sim
