// A table of notes in two schemas, served as /v1 and at the root.
#pragma once

#include <gtest/gtest.h>

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

inline catalog::Column column(const char* name, std::uint32_t oid) {
    catalog::Column out;
    out.name = name;
    out.type = oid == 23 ? "integer" : "text";
    out.type_oid = out.base_type_oid = oid;
    return out;
}

struct World {
    World() {
        for (const char* schema : {"public", "other"}) {
            catalog::Relation relation;
            relation.schema = schema;
            relation.name = "notes";
            relation.columns = {column("id", 23), column("text", 25)};
            relation.primary_key = {"id"};
            relation.base_tables = {relation.id()};
            relation.watched = true;
            catalog->relations.push_back(std::move(relation));
        }
        catalog->role_settings = {{"teller", {{"statement_timeout", "1s"}}}};
        catalog::complete(*catalog);
        snapshot->catalog = catalog;
        settings.database.anonymous_role = "web";
    }

    Result<std::shared_ptr<const Work>> try_work(message::Method method, std::string_view target,
                                                 std::vector<message::Header> headers = {},
                                                 const auth::Identity& identity = {.role = "", .claims_json = "{}"}) {
        if (snapshot->versions.empty()) {
            for (const char* schema : {"public", "other"}) {
                routes::RouteTable table;
                table.version = "v1";
                table.schema = schema;
                table.expose_schema = table.at_root = true;
                table.defaults.cache = cache;
                snapshot->versions.push_back(routes::build_lens(table, catalog, settings).api);
            }
        }
        snapshot->settings = settings;
        message::Request request;
        request.method = method;
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
        request.headers = std::move(headers);
        if (method == message::Method::post || method == message::Method::patch) request.body = R"({"id":1})";
        const auto match = find_route(*snapshot, request, WallTime{});
        if (!match) return match.error();
        auto prepared = prepare(snapshot, *match, identity, request);
        if (!prepared) return std::move(prepared).error();
        return std::get<std::shared_ptr<const Work>>(*prepared);
    }

    std::shared_ptr<const Work> work(message::Method method, std::string_view target, std::vector<message::Header> headers = {},
                                     const auth::Identity& identity = {.role = "", .claims_json = "{}"}) {
        auto made = try_work(method, target, std::move(headers), identity);
        EXPECT_TRUE(made) << made.error().message;
        return *made;
    }

    std::shared_ptr<catalog::Catalog> catalog = std::make_shared<catalog::Catalog>();
    std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
    config::Settings settings;
    routes::CachePolicy cache;
};

}  // namespace millrace::pipeline
