// Calls: which overload the arguments mean, what it is given, and the errors when none or several fit.
#include <gtest/gtest.h>

#include "calls.hpp"

namespace millrace::plan {
namespace {

using calls::call;
using calls::post;
using calls::Sent;
using message::Method;

Call planned(const std::string& name, const Sent& sent) {
    auto plan = call(name, sent);
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? std::get<Call>(*std::move(plan)) : Call{};
}

Error refused(const std::string& name, const Sent& sent) {
    auto plan = call(name, sent);
    EXPECT_FALSE(plan);
    return plan ? Error{} : std::move(plan).error();
}

TEST(Overloads, are_told_apart_by_the_names_of_the_arguments) {
    EXPECT_EQ(planned("area", {.query = "width=3"}).function->parameters.size(), 1U);
    EXPECT_EQ(planned("area", {.query = "radius=3"}).function->parameters.size(), 2U);
    EXPECT_EQ(planned("area", post(R"({"precise": true, "radius": 1})")).parameters.size(), 2U);
    EXPECT_EQ(planned("add", {.query = "a=1&b=2&c=3"}).function->parameters.size(), 3U);
}

TEST(Overloads, that_fit_alike_are_300) {
    const Error error = refused("add", {.query = "a=1&b=2"});
    EXPECT_EQ(error.code, "PGRST203");
    EXPECT_EQ(error.status, 300);
    EXPECT_EQ(error.message,
              "Could not choose the best candidate function between: shop.add(a => integer, b => integer), "
              "shop.add(a => integer, b => integer, c => integer)");
    EXPECT_EQ(error.hint,
              "Try renaming the parameters or the function itself in the database so function overloading can be resolved");
}

TEST(Overloads, that_do_not_fit_are_404_with_the_parameters_that_may_be_meant) {
    const Error error = refused("area", {.query = "widht=3"});
    EXPECT_EQ(error.code, "PGRST202");
    EXPECT_EQ(error.status, 404);
    EXPECT_EQ(error.message, "Could not find the function shop.area(widht) in the schema cache");
    EXPECT_EQ(error.details,
              "Searched for the function shop.area with parameter widht, but no matches were found in the schema cache.");
    EXPECT_EQ(error.hint, "Perhaps you meant to call the function shop.area(width)");
}

TEST(Overloads, of_an_unknown_name_suggest_another_function) {
    const Error error = refused("gret", post("{}"));
    EXPECT_EQ(error.message, "Could not find the function shop.gret without parameters in the schema cache");
    EXPECT_EQ(error.details,
              "Searched for the function shop.gret without parameters or with a single unnamed json/jsonb parameter, but no "
              "matches were found in the schema cache.");
    EXPECT_EQ(error.hint, "Perhaps you meant to call the function shop.greet");
    EXPECT_FALSE(refused("nothing_like_it", {}).hint);
    EXPECT_FALSE(refused("hidden_pai", {}).hint) << "two unnamed parameters cannot be called";
}

TEST(Overloads, that_take_the_whole_body_go_by_its_content_type) {
    EXPECT_EQ(planned("sum_json", post(R"([{"x": 1}])", "application/json")).body, R"([{"x": 1}])");
    EXPECT_EQ(planned("take_text", post("hello", "text/plain")).body, "hello");
    EXPECT_EQ(planned("take_bytes", post(std::string("\0\xFF", 2), "application/octet-stream")).body.size(), 2U);
    EXPECT_EQ(refused("take_text", post(std::string("a\0b", 3), "text/plain")).code, "22021");
    EXPECT_EQ(refused("take_text", post("{}", "application/json")).code, "PGRST202");
    const Error error = refused("take_text", post("<x/>", "text/xml"));
    EXPECT_EQ(error.message, "Could not find the function shop.take_text in the schema cache");
    EXPECT_EQ(error.details,
              "Searched for the function shop.take_text with a single unnamed xml parameter, but no matches were found in the "
              "schema cache.");
    EXPECT_FALSE(error.hint);
}

TEST(Arguments, of_a_get_are_what_compares_nothing) {
    const Call call = planned("cheap_products", {.query = "below=5&id=gt.3&select=name&order=id&limit=2"});
    EXPECT_EQ(call.values, std::vector<std::string>{"5"});
    EXPECT_EQ(call.rows.filters.size(), 1U);
    EXPECT_EQ(call.rows.columns.size(), 1U);
    EXPECT_EQ(call.rows.window.limit, 2);
    EXPECT_TRUE(call.read_only);
}

TEST(Arguments, that_repeat_are_elements_of_a_variadic_one_and_else_the_last_counts) {
    const Sent sent{.query = "name=x&others=a,b&name=y&others=c%22"};
    EXPECT_EQ(planned("greet", sent).values, (std::vector<std::string>{"y", R"({"a,b","c\""})"}));
    const Sent form = post("name=x&others=a&others=b", "application/x-www-form-urlencoded");
    EXPECT_EQ(planned("greet", form).values, (std::vector<std::string>{"x", R"({"a","b"})"}));
}

TEST(Arguments, may_be_chosen_among_the_members_of_a_body) {
    Sent sent = post(R"({"width": 3, "more": 4})");
    sent.query = "columns=width";
    EXPECT_EQ(planned("area", sent).parameters.size(), 1U);
}

TEST(Calls, may_change_something_only_by_a_post_of_a_volatile_function) {
    EXPECT_TRUE(planned("restock", {.query = "count=3"}).read_only);
    EXPECT_FALSE(planned("restock", post(R"({"count": 3})")).read_only);
    EXPECT_TRUE(planned("numbers", post("{}")).read_only);
}

TEST(Calls, refuse_other_methods) {
    const Error error = refused("numbers", {.method = Method::patch});
    EXPECT_EQ(error.code, "PGRST101");
    EXPECT_EQ(error.status, 405);
    EXPECT_EQ(error.message, "Cannot use the PATCH method on RPC");
}

TEST(Calls, embed_what_hangs_on_the_rows_relation) {
    const Call call = planned("cheap_products", {.query = "select=id,categories(name)"});
    ASSERT_EQ(call.rows.embeds.size(), 1U);
    EXPECT_EQ(call.rows.embeds.front().resource->name, "categories");
    EXPECT_EQ(refused("prices", {.query = "select=id,categories(name)"}).code, "PGRST200");
}

TEST(Calls, have_the_page_size_of_the_function) {
    const auto api = calls::version(
        R"({"schema": "shop", "expose": "schema", "resources": {"rpc/cheap": {"function": "cheap_products", "page_size_max": 7}}})");
    auto plan = call("cheap", {.query = "limit=50"}, *api);
    ASSERT_TRUE(plan);
    EXPECT_EQ(std::get<Call>(*plan).rows.window.limit, 7);
}

}  // namespace
}  // namespace millrace::plan
