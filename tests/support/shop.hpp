// A shop as Postgres would have it and as two versions show it; and requests written by hand. Used by the tests of plan and
// sql.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "millrace/core/plan.hpp"
#include "millrace/core/request.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::shop {

inline catalog::Column column(std::string name, std::string type) {
    static const std::map<std::string, std::uint32_t> oids = {{"integer", 23},
                                                              {"bigint", 20},
                                                              {"text", 25},
                                                              {"numeric(10,2)", 1700},
                                                              {"boolean", 16},
                                                              {"uuid", 2950},
                                                              {"jsonb", 3802},
                                                              {"json", 114},
                                                              {"timestamp with time zone", 1184},
                                                              {"date", 1082},
                                                              {"text[]", 1009},
                                                              {"mood", 16500},
                                                              {"tsvector", 3614},
                                                              {"int4range", 3904},
                                                              {"double precision", 701},
                                                              {"character varying(40)", 1043}};
    catalog::Column out;
    out.type_oid = out.base_type_oid = oids.at(type);
    if (type == "mood") out.enum_values = {"sad", "ok"};
    out.name = std::move(name);
    out.type = std::move(type);
    return out;
}

inline catalog::Relation table(std::string name, std::vector<catalog::Column> columns, std::vector<std::string> key) {
    catalog::Relation out;
    out.schema = "public";
    out.name = std::move(name);
    out.columns = std::move(columns);
    out.primary_key = std::move(key);
    out.base_tables = {out.id()};
    out.anonymous.select = true;
    return out;
}

using Pairs = std::vector<catalog::ColumnPair>;

// The catalog, and one version over it; links are in the order in which the relationships were added.
struct Shop {
    std::deque<catalog::Relation> relations;
    std::deque<catalog::Relationship> relationships;
    std::deque<routes::Resource> resources;

    routes::Resource& show(const std::string& relation, const std::string& as,
                           const std::map<std::string, std::string>& names = {}, const std::vector<std::string>& hidden = {}) {
        routes::Resource& out = resources.emplace_back();
        out.name = as;
        for (const catalog::Relation& each : relations)
            if (each.name == relation) out.relation = &each;
        for (const catalog::Column& each : out.relation->computed) out.computed.push_back({each.name, &each});
        for (const catalog::Column& each : out.relation->columns) {
            if (std::find(hidden.begin(), hidden.end(), each.name) != hidden.end()) continue;
            const auto renamed = names.find(each.name);
            out.columns.push_back({renamed == names.end() ? each.name : renamed->second, &each});
        }
        return out;
    }

    void way(const std::string& from, const std::string& to, catalog::Cardinality cardinality, const std::string& constraint,
             Pairs columns, std::optional<catalog::Junction> junction = {}) {
        relationships.push_back(
            {"public." + from, "public." + to, cardinality, constraint, std::move(columns), std::move(junction), from == to});
    }

    // A foreign key, read both ways.
    void key(const std::string& from, const std::string& to, const std::string& constraint, const Pairs& columns) {
        way(from, to, catalog::Cardinality::many_to_one, constraint, columns);
        Pairs back;
        for (const auto& pair : columns) back.push_back({pair.to, pair.from});
        way(to, from, catalog::Cardinality::one_to_many, constraint, back);
    }

    void link() {
        for (routes::Resource& source : resources)
            for (const catalog::Relationship& each : relationships)
                for (const routes::Resource& target : resources)
                    if (each.source == source.relation->id() && each.target == target.relation->id())
                        source.links.push_back({&target, &each});
    }

    [[nodiscard]] const routes::Resource& operator[](const std::string& name) const {
        for (const routes::Resource& each : resources)
            if (each.name == name) return each;
        throw std::out_of_range(name);
    }
};

inline void add_tables(Shop& shop) {
    shop.relations.push_back(
        table("categories", {column("id", "integer"), column("name", "text"), column("parent_id", "integer")}, {"id"}));
    shop.relations.push_back(table("products",
                                   {column("id", "bigint"), column("name", "text"), column("price", "numeric(10,2)"),
                                    column("category_id", "integer"), column("tags", "text[]"), column("attributes", "jsonb"),
                                    column("feeling", "mood"), column("created_at", "timestamp with time zone")},
                                   {"id"}));
    shop.relations.push_back(
        table("customers", {column("id", "integer"), column("name", "text"), column("email", "text")}, {"id"}));
    shop.relations.push_back(table("orders",
                                   {column("id", "integer"), column("customer_id", "integer"), column("billed_to", "integer"),
                                    column("placed_at", "timestamp with time zone")},
                                   {"id"}));
    shop.relations.push_back(
        table("order_items", {column("order_id", "integer"), column("product_id", "bigint"), column("quantity", "integer")},
              {"order_id", "product_id"}));
    shop.relations.push_back(
        table("words", {column("id", "integer"), column("vector", "tsvector"), column("span", "int4range")}, {}));
}

// Functions of a product: one may read anything, the other tells from the row alone.
inline void add_computed(Shop& shop) {
    using catalog::Volatility;
    catalog::Relation& products = *std::ranges::find(shop.relations, "products", &catalog::Relation::name);
    for (const auto& [name, volatility] : {std::pair("label", Volatility::immutable), std::pair("stock", Volatility::stable)}) {
        catalog::Column computed = column(name, "text");
        computed.computed = catalog::RoutineName{"public", name, volatility};
        products.computed.push_back(computed);
    }
    shop.way("products", "orders", catalog::Cardinality::one_to_many, "", {});
    shop.relationships.back().function = catalog::RoutineName{"public", "open_orders", Volatility::stable};
    shop.way("products", "categories", catalog::Cardinality::many_to_one, "", {});
    shop.relationships.back().function = catalog::RoutineName{"public", "main_category", Volatility::immutable};
}

inline void add_keys(Shop& shop) {
    using catalog::Cardinality;
    shop.key("products", "categories", "products_category_id_fkey", {{"category_id", "id"}});
    shop.key("categories", "categories", "categories_parent_id_fkey", {{"parent_id", "id"}});
    shop.key("orders", "customers", "orders_customer_id_fkey", {{"customer_id", "id"}});
    shop.key("orders", "customers", "orders_billed_to_fkey", {{"billed_to", "id"}});
    shop.key("order_items", "orders", "order_items_order_id_fkey", {{"order_id", "id"}});
    shop.key("order_items", "products", "order_items_product_id_fkey", {{"product_id", "id"}});
    shop.way("orders", "products", Cardinality::many_to_many, "", {},
             catalog::Junction{"public",
                               "order_items",
                               "order_items_order_id_fkey",
                               "order_items_product_id_fkey",
                               {{"id", "order_id"}},
                               {{"product_id", "id"}}});
    shop.way("products", "orders", Cardinality::many_to_many, "", {},
             catalog::Junction{"public",
                               "order_items",
                               "order_items_product_id_fkey",
                               "order_items_order_id_fkey",
                               {{"id", "product_id"}},
                               {{"order_id", "id"}}});
}

// Everything under its own name.
inline const Shop& v1() {
    static const auto shop = [] {
        auto out = std::make_unique<Shop>();
        add_tables(*out);
        add_keys(*out);
        add_computed(*out);
        for (const catalog::Relation& each : out->relations) out->show(each.name, each.name);
        out->link();
        return out;
    }();
    return *shop;
}

// Renames and hides: categories are "groups", products are "goods" with a "title" and without attributes; a page is 50 rows.
inline const Shop& v2() {
    static const auto shop = [] {
        auto out = std::make_unique<Shop>();
        add_tables(*out);
        add_keys(*out);
        out->show("categories", "groups");
        auto& goods = out->show("products", "goods", {{"name", "title"}, {"category_id", "group_id"}}, {"attributes"});
        goods.policies.page_size_max = 50;
        out->link();
        return out;
    }();
    return *shop;
}

// Requests.

inline request::FieldPath field(const std::string& text) {  // a->b->>0
    request::FieldPath out;
    std::size_t at = text.find("->");
    out.column = text.substr(0, at);
    while (at != std::string::npos) {
        const bool as_text = text.compare(at, 3, "->>") == 0;
        const std::size_t start = at + (as_text ? 3 : 2);
        at = text.find("->", start);
        const std::string key = text.substr(start, at == std::string::npos ? at : at - start);
        const bool index = key.find_first_not_of("0123456789") == std::string::npos;
        out.json.push_back({as_text, index ? std::variant<std::string, std::int64_t>(std::stoll(key)) : key});
    }
    return out;
}

inline request::SelectItem col(const std::string& name, const std::string& alias = {}, const std::string& cast = {}) {
    request::SelectColumn out;
    out.field = field(name);
    out.alias = alias;
    out.cast = cast;
    return {std::move(out)};
}
inline request::SelectItem aggregate(request::Aggregate what, const std::string& name, const std::string& alias = {}) {
    request::SelectColumn out;
    out.field = field(name);
    out.alias = alias;
    out.aggregate = what;
    return {std::move(out)};
}

using Items = std::vector<request::SelectItem>;

inline request::SelectEmbed embed(const std::string& relation, Items items) {
    request::SelectEmbed out;
    out.relation = relation;
    out.items = std::move(items);
    return out;
}
inline request::SelectEmbed inner(request::SelectEmbed what) {
    what.join = request::JoinKind::inner;
    return what;
}
inline request::SelectEmbed hinted(request::SelectEmbed what, const std::string& hint) {
    what.hint = hint;
    return what;
}
inline request::SelectEmbed aliased(request::SelectEmbed what, const std::string& alias) {
    what.alias = alias;
    return what;
}
inline request::SelectEmbed spread(request::SelectEmbed what) {
    what.spread = true;
    return what;
}

inline request::ApiRequest read(Items items = {}) {
    request::ApiRequest out;
    out.has_select = !items.empty();
    out.select = std::move(items);
    return out;
}

inline request::Condition is(const std::string& name, request::Operator op, const std::string& value) {
    request::Condition out;
    out.field = field(name);
    out.op = op;
    out.value = value;
    return out;
}
inline request::Condition eq(const std::string& name, const std::string& value) {
    return is(name, request::Operator::eq, value);
}
inline request::Condition negated(request::Condition what) {
    what.negated = !what.negated;
    return what;
}

inline void where(request::ApiRequest& to, request::Condition condition, request::EmbedPath path = {}) {
    to.filters.push_back({std::move(path), {std::move(condition)}});
}
inline void order(request::ApiRequest& to, request::OrderTerm term, request::EmbedPath path = {}) {
    to.orders.push_back({std::move(path), {std::move(term)}});
}
inline void window(request::ApiRequest& to, std::optional<std::int64_t> limit, std::int64_t offset = 0,
                   request::EmbedPath path = {}) {
    to.windows.push_back({std::move(path), {limit, offset}});
}

inline Result<plan::Plan> make(const request::ApiRequest& request, const routes::Resource& resource,
                               request::Payload payload = {}, bool aggregates = false) {
    return plan::make_plan(request, std::move(payload), resource, plan::Options{aggregates});
}

inline request::Payload payload(std::string json, std::vector<std::string> keys, std::size_t rows = 1) {
    request::Payload out;
    out.is_array = json.starts_with('[');
    out.json = std::move(json);
    out.keys = std::move(keys);
    out.rows = rows;
    return out;
}

}  // namespace millrace::shop
