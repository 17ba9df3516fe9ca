// What it costs to come from the text of a request to its SQL, and how much of that is planning and rendering.
#include <benchmark/benchmark.h>

#include "millrace/core/sql.hpp"
#include "shop.hpp"

namespace millrace::shop {
namespace {

// /products?id=eq.7
request::ApiRequest one_row() {
    auto request = read();
    where(request, eq("id", "7"));
    return request;
}

// /products?select=*,order_items(*,orders(*,customers!orders_customer_id_fkey(*)))&category_id=eq.3&price=gte.10
//   &order=price.desc&limit=20&order_items.quantity=gt.1&order_items.limit=5
request::ApiRequest three_levels() {
    const auto customers = hinted(embed("customers", {col("*")}), "orders_customer_id_fkey");
    auto request = read({col("*"), {embed("order_items", {col("*"), {embed("orders", {col("*"), {customers}})}})}});
    where(request, eq("category_id", "3"));
    where(request, is("price", request::Operator::gte, "10"));
    where(request, is("quantity", request::Operator::gt, "1"), {"order_items"});
    order(request, {"", field("price"), true, {}});
    window(request, 20);
    window(request, 5, 0, {"order_items"});
    return request;
}

void measure(benchmark::State& state, const request::ApiRequest& request) {
    const routes::Resource& products = v1()["products"];
    for (auto _ : state) {
        auto plan = make(request, products);
        benchmark::DoNotOptimize(sql::render(*plan, {}, {.want_snapshot = true}));
    }
}

void plan_and_render_one_row(benchmark::State& state) { measure(state, one_row()); }
BENCHMARK(plan_and_render_one_row);

void plan_and_render_three_levels(benchmark::State& state) { measure(state, three_levels()); }
BENCHMARK(plan_and_render_three_levels);

void plan_three_levels(benchmark::State& state) {
    const auto request = three_levels();
    for (auto _ : state) benchmark::DoNotOptimize(make(request, v1()["products"]));
}
BENCHMARK(plan_three_levels);

void text_to_sql(benchmark::State& state, const char* query) {
    message::Request request;
    request.path = "/v1/products";
    request.query = query;
    for (auto _ : state) {
        const auto parsed = request::parse(request);
        auto plan = make(*parsed, v1()["products"]);
        benchmark::DoNotOptimize(sql::render(*plan, {}, {.want_snapshot = true}));
    }
}
BENCHMARK_CAPTURE(text_to_sql, one_row, "id=eq.7");
BENCHMARK_CAPTURE(text_to_sql, three_levels,
                  "select=*,order_items(*,orders(*,customers!orders_customer_id_fkey(*)))&category_id=eq.3&price=gte.10"
                  "&order=price.desc&limit=20&order_items.quantity=gt.1&order_items.limit=5");

}  // namespace
}  // namespace millrace::shop
