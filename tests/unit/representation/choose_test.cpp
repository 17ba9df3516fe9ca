// Which representation a request gets of which rows.
#include <gtest/gtest.h>

#include "millrace/core/representation.hpp"
#include "shop.hpp"

namespace millrace::representation {
namespace {

catalog::MediaHandler handler(const char* media_type, const char* function, const char* relation = "", bool binary = false) {
    return {media_type, {"public", function}, relation, binary};
}

struct Choice {
    std::vector<catalog::MediaHandler> handlers{};
    Offer offer{};

    explicit Choice(std::vector<catalog::MediaHandler> all = {}) : handlers(std::move(all)) {
        offer.handlers = handlers;
        offer.schema = "public";
        offer.resource = &shop::v1()["products"];
    }
    [[nodiscard]] Result<Representation> operator()(std::string_view accept) const {
        return choose(request::parse_accept(accept), offer);
    }
    // The Content-Type, and what makes the body.
    [[nodiscard]] std::string told(std::string_view accept) const {
        const auto chosen = (*this)(accept);
        if (!chosen) return chosen.error().message;
        return chosen->content_type + (chosen->handled ? " by " + chosen->form.body.handler.name : "");
    }
};

}  // namespace

TEST(Negotiation, gives_what_is_built_in) {
    const Choice choice;
    const std::pair<const char*, const char*> cases[] = {
        {"", "application/json; charset=utf-8"},
        {"*/*", "application/json; charset=utf-8"},
        {"application/json;charset=latin1", "application/json; charset=utf-8"},
        {"text/csv", "text/csv; charset=utf-8"},
        {"application/geo+json", "application/geo+json; charset=utf-8"},
        {"application/vnd.pgrst.object", "application/vnd.pgrst.object+json; charset=utf-8"},
        {"application/vnd.pgrst.array", "application/json; charset=utf-8"},
        {"application/vnd.pgrst.array;nulls=stripped", "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"},
        {"application/vnd.pgrst.object+json; nulls=stripped",
         "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json; charset=utf-8"},
        {"application/json;q=0.1, text/csv;q=0.2", "text/csv; charset=utf-8"},
    };
    for (const auto& [accept, type] : cases) EXPECT_EQ(choice.told(accept), type) << accept;
    EXPECT_TRUE(choice("application/vnd.pgrst.object")->one);
    EXPECT_TRUE(choice("application/vnd.pgrst.object;nulls=stripped")->nulls_stripped);
    EXPECT_EQ(choice("text/csv")->form.output, sql::Output::text);
    EXPECT_EQ(choice("application/geo+json")->form.body.kind, sql::BodyKind::features);
}

TEST(Negotiation, refuses_what_nothing_gives) {
    const Choice choice;
    for (const char* accept : {"text/plain", "text/xml", "application/octet-stream", "application/openapi+json", "image/png"})
        EXPECT_EQ(choice.told(accept), std::string("None of these media types are available: ") + accept);
    EXPECT_EQ(choice.told("image/png, text/plain;q=0.5"), "None of these media types are available: image/png, text/plain");
    EXPECT_EQ(choice("undefined").error().code, "PGRST107");
    EXPECT_EQ(choice("undefined").error().status, 406);
}

TEST(Negotiation, handlers_of_the_rows_go_before_handlers_of_any_and_those_before_what_is_built_in) {
    const Choice choice({handler("text/csv", "any_csv"), handler("text/csv", "products_csv", "public.products"),
                         handler("application/json", "any_json"), handler("Image/PNG", "orders_png", "public.orders")});
    EXPECT_EQ(choice.told("text/csv"), "text/csv; charset=utf-8 by products_csv");
    EXPECT_EQ(choice.told("application/json"), "application/json; charset=utf-8 by any_json");
    EXPECT_EQ(choice.told("application/vnd.pgrst.object+json"), "application/vnd.pgrst.object+json; charset=utf-8");
    EXPECT_EQ(choice.told("*/*"), "application/json; charset=utf-8");
    EXPECT_EQ(choice.told("image/png"), "None of these media types are available: image/png");
    Choice orders = choice;
    orders.offer.resource = &shop::v1()["orders"];
    EXPECT_EQ(orders.told("image/png"), "Image/PNG by orders_png");
    EXPECT_EQ(orders.told("text/csv"), "text/csv; charset=utf-8 by any_csv");
}

TEST(Negotiation, a_handler_of_the_rows_for_any_media_type_takes_all_but_the_vendored_ones) {
    const Choice choice({handler("*/*", "products_any", "public.products", true), handler("text/csv", "any_csv")});
    for (const char* accept : {"", "*/*", "text/csv", "application/json", "unknown/unknown"})
        EXPECT_EQ(choice.told(accept), "application/octet-stream by products_any") << accept;
    EXPECT_TRUE(choice("*/*")->form.body.binary);
    EXPECT_EQ(choice.told("application/vnd.pgrst.array+json;nulls=stripped"),
              "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8");
    const Choice of_any({handler("*/*", "any_any")});
    EXPECT_EQ(of_any.told("*/*"), "application/octet-stream by any_any");
    EXPECT_EQ(of_any.told("application/json"), "application/json; charset=utf-8");
}

TEST(Negotiation, handlers_of_a_relation_need_its_rows_whole) {
    const std::vector<catalog::MediaHandler> all{handler("text/csv", "products_csv", "public.products"),
                                                 handler("image/png", "any_png")};
    Choice selected(all);
    selected.offer.every_column = false;
    EXPECT_EQ(selected.told("text/csv"), "text/csv; charset=utf-8");
    EXPECT_EQ(selected.told("image/png"), "image/png by any_png");
    Choice hidden(all);
    hidden.offer.resource = &shop::v2()["goods"];  // hides a column
    EXPECT_EQ(hidden.told("text/csv"), "text/csv; charset=utf-8");
}

TEST(Negotiation, handlers_of_other_schemas_are_not_shown) {
    Choice choice({handler("image/png", "any_png")});
    choice.handlers.front().function.schema = "private";
    EXPECT_EQ(choice.told("image/png"), "None of these media types are available: image/png");
}

TEST(Negotiation, a_function_may_return_a_media_type) {
    catalog::Function function;
    function.media_type = "image/png";
    function.result_columns.emplace_back().base_type_oid = 17;
    Choice choice;
    choice.offer.resource = nullptr;
    choice.offer.function = &function;
    const auto png = choice("image/png");
    ASSERT_TRUE(png);
    EXPECT_EQ(png->content_type, "image/png");
    EXPECT_EQ(png->form.body.kind, sql::BodyKind::value);
    EXPECT_TRUE(png->form.body.binary);
    EXPECT_EQ(choice.told("*/*"), "application/json; charset=utf-8");
    EXPECT_EQ(choice.told("text/xml"), "None of these media types are available: text/xml");
    function.media_type = "*/*";
    EXPECT_EQ(choice("text/xml")->content_type, "application/octet-stream");
    function.media_type = "text/xml";
    EXPECT_EQ(choice("text/xml")->content_type, "text/xml; charset=utf-8");
}

TEST(Negotiation, plans_are_given_when_they_may_be_and_of_what_there_is) {
    Choice choice({handler("image/png", "any_png", "", true)});
    EXPECT_EQ(choice.told("application/vnd.pgrst.plan"),
              "None of these media types are available: application/vnd.pgrst.plan+text; for=\"application/json\"");
    choice.offer.plans = true;
    const std::pair<const char*, const char*> cases[] = {
        {"application/vnd.pgrst.plan", "application/vnd.pgrst.plan+text; for=\"application/json\"; charset=utf-8"},
        {"application/vnd.pgrst.plan+json; FOR=\"application/vnd.pgrst.object\"; options=wal|analyze|x;",
         "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json\"; options=analyze|wal; charset=utf-8"},
        {"application/vnd.pgrst.plan;for=\"text/html\", text/csv;q=0.1", "text/csv; charset=utf-8"},
        {"application/vnd.pgrst.plan;for=\"application/vnd.pgrst.plan\", text/csv", "text/csv; charset=utf-8"},
    };
    for (const auto& [accept, type] : cases) EXPECT_EQ(choice.told(accept), type) << accept;
    const auto csv = choice("application/vnd.pgrst.plan+json;for=\"text/csv\";options=buffers|verbose|settings");
    EXPECT_EQ(csv->form.body.kind, sql::BodyKind::csv);
    EXPECT_TRUE(csv->form.explain->json && csv->form.explain->buffers && csv->form.explain->verbose);
    EXPECT_FALSE(csv->form.explain->analyze || csv->form.explain->wal);
    EXPECT_FALSE(choice("application/vnd.pgrst.plan;for=\"application/vnd.pgrst.object\"")->one);
    EXPECT_EQ(choice("application/vnd.pgrst.plan;for=\"image/png\"")->form.body.handler.name, "any_png");
}

TEST(Negotiation, every_column_is_selected_by_nothing_or_a_star) {
    EXPECT_TRUE(selects_every_column(shop::read()));
    EXPECT_TRUE(selects_every_column(shop::read({shop::col("*")})));
    EXPECT_FALSE(selects_every_column(shop::read({shop::col("id")})));
    EXPECT_FALSE(selects_every_column(shop::read({shop::col("*"), shop::col("id")})));
    EXPECT_FALSE(selects_every_column(shop::read({{shop::embed("categories", {})}})));
}

}  // namespace millrace::representation
