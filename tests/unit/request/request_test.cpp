// Whole requests: parameters in their places, windows, preferences, media types, and the form equal requests share.
#include <gtest/gtest.h>

#include "show.hpp"

namespace millrace::request {
namespace {

using message::Header;
using message::Method;
using testing::show;

Result<ApiRequest> read(std::string_view query, Method method = Method::get, std::vector<Header> headers = {},
                        bool call = false) {
    message::Request request;
    request.method = method;
    request.query = query;
    request.headers = std::move(headers);
    return parse(request, call);
}

std::string failure(const Result<ApiRequest>& result) { return result ? "accepted" : show(result.error()); }

TEST(RequestParser, puts_parameters_in_their_places) {
    auto request = read(
        "select=id,c(*)&id=gte.1&c.name=eq.x&c.d.x->>y=is.null&or=(a.eq.1,b.eq.2)&c.not.and=(e.eq.3)&order=id.desc&c.order=n"
        "&limit=5&c.limit=2&c.offset=1&columns=a,b,a&on_conflict=k");
    ASSERT_TRUE(request);
    EXPECT_TRUE(request->has_select);
    EXPECT_EQ(show(request->select), "id c(*)");
    EXPECT_EQ(show(request->filters),
              "id gte '1' & c.name eq 'x' & c.d.x->>y is 'null' & or{a eq '1'; b eq '2'} & c.!and{e eq '3'}");
    EXPECT_EQ(show(request->orders), "id- & c.n+");
    EXPECT_EQ(show(request->windows), "0,5 & c.1,2");
    EXPECT_EQ(show(request->columns), "[a|b]");
    EXPECT_TRUE(request->has_columns);
    EXPECT_EQ(show(request->on_conflict), "[k]");
}

TEST(RequestParser, decodes_the_query_as_forms_are) {
    auto request = read("Unit%20Price=lt.2&na+me=eq.a%2Bb+c&like=like.100%&%22a.b%22=eq.%D9%85&x=in.(%22a,b%22,c)");
    ASSERT_TRUE(request) << failure(request);
    EXPECT_EQ(show(request->filters), "Unit Price lt '2' & na me eq 'a+b c' & like like '100%' & a.b eq 'م' & x in [a,b|c]");
}

TEST(RequestParser, leaves_out_parameters_that_say_nothing) {
    auto request = read("select&&a=eq.1&flag");
    ASSERT_TRUE(request);
    EXPECT_FALSE(request->has_select);
    EXPECT_EQ(show(request->filters), "a eq '1'");
    EXPECT_EQ(request->canonical_query, "a=eq.1");
    EXPECT_TRUE(read("").value().canonical_query.empty());
}

TEST(RequestParser, the_first_select_and_the_last_limit_count) {
    auto request = read("select=a&select=b&limit=1&limit=2");
    ASSERT_TRUE(request);
    EXPECT_EQ(show(request->select), "a");
    EXPECT_EQ(show(request->windows), "0,2");
}

TEST(RequestParser, refuses_bytes_that_are_no_text) {
    for (const char* query : {"a=eq.%FF", "%C3=eq.1", "a=eq.%00", "%00=eq.1", "select=%ED%A0%80"})
        EXPECT_EQ(read(query).error().code, "PGRST100") << query;
}

TEST(RequestParser, reports_errors_of_each_parameter) {
    const std::pair<const char*, const char*> cases[] = {
        {"columns=",
         "400 PGRST100 \"failed to parse columns parameter ()\" (line 1, column 1) | unexpected end of input expecting "
         "field name (* or [a..z0..9_$])"},
        {"on_conflict=:",
         "400 PGRST100 \"failed to parse on_conflict parameter (:)\" (line 1, column 1) | unexpected \":\" "
         "expecting field name (* or [a..z0..9_$])"},
        {"(=eq.1",
         "400 PGRST100 \"failed to parse tree path (()\" (line 1, column 1) | unexpected \"(\" expecting field name (* "
         "or [a..z0..9_$])"},
        {"id=5",
         "400 PGRST100 \"failed to parse filter (5)\" (line 1, column 1) | unexpected \"5\" expecting \"not\" or operator "
         "(eq, gt, ...)"},
        {"order=",
         "400 PGRST100 \"failed to parse order ()\" (line 1, column 1) | unexpected end of input expecting field name "
         "(* or [a..z0..9_$])"},
        {"not.or=(a)",
         "400 PGRST100 \"failed to parse logic tree ((a))\" (line 1, column 9) | unexpected \")\" expecting letter, "
         "digit, \"-\", \"->>\", \"->\" or delimiter (.)"},
    };
    for (const auto& [query, shown] : cases) EXPECT_EQ(failure(read(query)), shown) << query;
    for (const char* query : {"a..b=eq.1", "a.=eq.1", ".a=eq.1", "a b)=eq.1", ".order=id", "a..limit=1", "x.(.or=(a.eq.1)"})
        EXPECT_EQ(read(query).error().code, "PGRST100") << query;
}

TEST(RequestParser, bounds_the_number_of_parameters_and_filters) {
    std::string query;
    for (int i = 0; i < 500; ++i) query += "a=eq.1&";
    EXPECT_TRUE(read(query));
    EXPECT_EQ(read(query + "a=eq.1").error().details, "too many filters");
    std::string parameters;
    for (int i = 0; i < 1001; ++i) parameters += "limit=1&";
    EXPECT_EQ(read(parameters).error().details, "too many parameters");
    std::string deep;
    for (int i = 0; i < 70; ++i) deep += "a.";
    EXPECT_EQ(read(deep + "b=eq.1").error().details, "the path is too deep");
}

TEST(RequestParser, the_method_is_the_action) {
    const std::pair<Method, Action> cases[] = {{Method::get, Action::read},       {Method::head, Action::read},
                                               {Method::post, Action::insert},    {Method::patch, Action::update},
                                               {Method::put, Action::replace},    {Method::del, Action::remove},
                                               {Method::options, Action::inspect}};
    for (const auto& [method, action] : cases) EXPECT_EQ(read("", method).value().action, action);
    EXPECT_TRUE(read("", Method::head)->head_only);
    for (Method method : {Method::get, Method::head, Method::post})
        EXPECT_EQ(read("", method, {}, true).value().action, Action::call);
    for (Method method : {Method::put, Method::patch, Method::del}) {
        EXPECT_EQ(read("", method, {}, true).error().code, "PGRST101");
        EXPECT_EQ(read("", method, {}, true).error().status, 405);
    }
}

TEST(RequestParser, a_call_by_get_takes_what_compares_nothing_as_arguments) {
    auto request = read("a=1&b=not.a.word&id=eq.2&names=x&names=y&select=id&limit=3", Method::get, {}, true);
    ASSERT_TRUE(request) << failure(request);
    const std::vector<std::pair<std::string, std::string>> arguments{
        {"a", "1"}, {"b", "not.a.word"}, {"names", "x"}, {"names", "y"}};
    EXPECT_EQ(request->call_arguments, arguments);
    EXPECT_EQ(show(request->filters), "id eq '2'");
    EXPECT_FALSE(read("a=1", Method::post, {}, true));
    EXPECT_FALSE(read("a=in.1", Method::get, {}, true));
}

TEST(RequestParser, the_profile_depends_on_the_method) {
    const std::vector<Header> headers{{"accept-profile", "read"}, {"Content-Profile", "write"}};
    for (Method method : {Method::get, Method::head, Method::options}) EXPECT_EQ(read("", method, headers)->profile, "read");
    for (Method method : {Method::post, Method::patch, Method::put, Method::del})
        EXPECT_EQ(read("", method, headers)->profile, "write");
}

struct WindowCase {
    const char* query;
    const char* range;
    const char* shown;
};

TEST(RequestParser, folds_limit_and_offset_with_range) {
    const WindowCase cases[] = {
        {"", "", ""},
        {"limit=5", "", "0,5"},
        {"offset=5", "", "5,all"},
        {"limit=5&offset=10", "", "10,5"},
        {"limit=0", "", "0,0"},
        {"limit=0", "9-1", "0,0"},
        {"limit=0&offset=3", "", "0,0"},
        {"offset=-3", "", "0,all"},
        {"limit=5&offset=-2", "", "0,3"},
        {"limit=abc&offset=x", "", ""},
        {"limit=", "", ""},
        {"limit=99999999999999999999", "", "0,9223372036854775807"},
        {"offset=9223372036854775807&limit=9223372036854775807", "", "9223372036854775807,all"},
        {"", "0-9", "0,10"},
        {"", "5-", "5,all"},
        {"", "0-0", "0,1"},
        {"", "items=0-9", ""},
        {"", "bytes=0-9", ""},
        {"", "-5", ""},
        {"", "0-9,20-29", ""},
        {"", "1 - 2", ""},
        {"limit=5", "3-", "3,2"},
        {"limit=5&offset=2", "0-3", "2,2"},
        {"offset=1", "5-9", "5,5"},
        {"c.limit=3", "0-1", "c.0,3 & 0,2"},
        {"c.limit=0", "", "c.0,0"},
    };
    for (const auto& c : cases) {
        std::vector<Header> headers;
        if (*c.range != '\0') headers = {{"Range-Unit", "items"}, {"Range", c.range}};
        auto request = read(c.query, Method::get, headers);
        ASSERT_TRUE(request) << c.query << " " << c.range;
        EXPECT_EQ(show(request->windows), c.shown) << c.query << " " << c.range;
    }
    EXPECT_TRUE(read("", Method::get, {{"Range", "0-1"}})->range_header);
    EXPECT_FALSE(read("limit=1")->range_header);
}

TEST(RequestParser, refuses_windows_that_cannot_be) {
    constexpr const char* negative =
        "416 PGRST103 Requested range not satisfiable | Limit should be greater than or equal to zero.";
    for (const char* query : {"limit=-1", "limit=-5&offset=2", "c.limit=-1", "offset=5&limit=-99999999999999999999"})
        EXPECT_EQ(failure(read(query)), negative) << query;
    EXPECT_EQ(failure(read("limit=2", Method::get, {{"Range", "5-9"}})), negative);
    EXPECT_EQ(
        failure(read("", Method::get, {{"Range", "1-0"}})),
        "416 PGRST103 Requested range not satisfiable | The lower boundary must be lower than or equal to the upper boundary "
        "in the Range header.");
}

TEST(RequestParser, range_counts_for_get_alone) {
    for (Method method : {Method::head, Method::post, Method::patch, Method::put, Method::del}) {
        auto request = read("", method, {{"Range", "1-0"}});
        ASSERT_TRUE(request);
        EXPECT_TRUE(request->windows.empty());
    }
}

TEST(RequestParser, put_takes_no_window) {
    for (const char* query : {"limit=1", "offset=1", "limit=0"}) EXPECT_EQ(read(query, Method::put).error().code, "PGRST114");
    EXPECT_TRUE(read("id=eq.1&c.limit=1&offset=0", Method::put));
}

TEST(RequestParser, equal_requests_have_one_canonical_form) {
    EXPECT_EQ(read("b=eq.2&a=eq.1")->canonical_query, "a=eq.1&b=eq.2");
    EXPECT_EQ(read("a=gt.1&a=lt.5")->canonical_query, read("a=lt.5&a=gt.1")->canonical_query);
    EXPECT_EQ(read("a=eq.%41+b")->canonical_query, read("%61=eq.A%20b")->canonical_query);
    EXPECT_EQ(read("a=eq.x%26b%3Deq.y")->canonical_query, "a=eq.x%26b%3Deq.y");
    EXPECT_NE(read("a=eq.x%26b%3Deq.y")->canonical_query, read("a=eq.x&b=eq.y")->canonical_query);
    EXPECT_NE(read("a=eq.a%2Bb")->canonical_query, read("a=eq.a+b")->canonical_query);
}

TEST(RequestParser, requests_that_differ_have_different_canonical_forms) {
    EXPECT_NE(read("limit=1&limit=2")->canonical_query, read("limit=2&limit=1")->canonical_query);
    EXPECT_NE(read("select=a&select=b")->canonical_query, read("select=b&select=a")->canonical_query);
    EXPECT_NE(read("order=a&order=b")->canonical_query, read("order=b&order=a")->canonical_query);
    EXPECT_NE(read("v=1&v=2", Method::get, {}, true)->canonical_query, read("v=2&v=1", Method::get, {}, true)->canonical_query);
    EXPECT_EQ(read("w=1&v=2", Method::get, {}, true)->canonical_query, read("v=2&w=1", Method::get, {}, true)->canonical_query);
}

Preferences prefer(std::vector<Header> headers) {
    message::Request request;
    request.headers = std::move(headers);
    return parse_prefer(request);
}

TEST(PreferParser, reads_all_of_several_headers) {
    const auto p = prefer({{"Prefer", "count=exact,   tx=rollback ,return=representation"},
                           {"prefer", "missing=default, handling=strict, anything"},
                           {"Prefer", "resolution=ignore-duplicates, timezone=America/Los_Angeles, max-affected=10"}});
    EXPECT_EQ(p.count, CountKind::exact);
    EXPECT_EQ(p.commit, false);
    EXPECT_EQ(p.returning, ReturnKind::representation);
    EXPECT_TRUE(p.missing_default);
    EXPECT_TRUE(p.strict);
    EXPECT_EQ(p.resolution, Resolution::ignore_duplicates);
    EXPECT_EQ(p.timezone, "America/Los_Angeles");
    EXPECT_EQ(p.max_affected, 10);
    EXPECT_EQ(show(p.unknown), "[anything]");
    EXPECT_EQ(show(p.applied),
              "[resolution=ignore-duplicates|missing=default|return=representation|count=exact|tx=rollback|handling=strict|"
              "timezone=America/Los_Angeles|max-affected=10]");
}

TEST(PreferParser, the_first_of_a_kind_counts) {
    const auto p = prefer({{"Prefer", "tx=commit, tx=rollback"}, {"Prefer", "count=planned"}, {"Prefer", "count=exact"}});
    EXPECT_EQ(p.commit, true);
    EXPECT_EQ(p.count, CountKind::planned);
    EXPECT_EQ(show(p.applied), "[count=planned|tx=commit]");
    EXPECT_TRUE(p.unknown.empty());
}

TEST(PreferParser, reads_each_value_and_keeps_what_it_does_not_know) {
    const std::pair<const char*, const char*> cases[] = {
        {"return=minimal", "[return=minimal] []"},
        {"return=headers-only", "[return=headers-only] []"},
        {"count=estimated", "[count=estimated] []"},
        {"resolution=merge-duplicates", "[resolution=merge-duplicates] []"},
        {"missing=null", "[missing=null] []"},
        {"handling=lenient, max-affected=3", "[handling=lenient] []"},
        {"return=everything, count", "[] [return=everything|count]"},
        {"max-affected=many", "[] []"},
        {"Return = \"minimal\"; foo=1", "[return=minimal] []"},
        {",, ,", "[] []"},
        {"", "[] []"},
    };
    for (const auto& [value, shown] : cases) {
        const auto p = prefer({{"Prefer", value}});
        EXPECT_EQ(show(p.applied) + " " + show(p.unknown), shown) << value;
    }
}

TEST(PreferParser, strict_handling_refuses_the_unknown) {
    EXPECT_EQ(failure(read("", Method::get, {{"Prefer", "handling=strict"}, {"Prefer", "something, else"}})),
              "400 PGRST122 Invalid preferences given with handling=strict | Invalid preferences: something, else");
    EXPECT_TRUE(read("", Method::get, {{"Prefer", "handling=lenient, something"}}));
}

TEST(PreferParser, only_what_fits_the_action_is_applied) {
    const std::vector<Header> all{
        {"Prefer",
         "resolution=merge-duplicates, missing=default, return=minimal, count=exact, handling=strict, max-affected=1"}};
    EXPECT_EQ(show(read("", Method::get, all)->preferences.applied), "[count=exact|handling=strict]");
    EXPECT_EQ(show(read("", Method::post, all)->preferences.applied),
              "[resolution=merge-duplicates|missing=default|return=minimal|count=exact|handling=strict]");
    EXPECT_EQ(show(read("", Method::patch, all)->preferences.applied),
              "[missing=default|return=minimal|count=exact|handling=strict|max-affected=1]");
    EXPECT_EQ(show(read("", Method::del, all)->preferences.applied),
              "[return=minimal|count=exact|handling=strict|max-affected=1]");
}

std::string accept(std::string_view text) {
    std::string out;
    for (const MediaRange& range : parse_accept(text)) {
        if (!out.empty()) out += " ";
        out += std::to_string(static_cast<int>(range.media)) + "<" + range.name + ">";
    }
    return out;
}

TEST(AcceptParser, knows_the_media_types) {
    const std::pair<const char*, Media> cases[] = {
        {"*/*", Media::any},
        {"application/json", Media::json},
        {"Application/JSON; charset=utf-8", Media::json},
        {"application/vnd.pgrst.object+json", Media::singular},
        {"application/vnd.pgrst.object", Media::singular},
        {"ApplicatIon/vnd.PgRsT.object+json", Media::singular},
        {"application/vnd.pgrst.object+json;nulls=stripped", Media::singular_stripped},
        {"application/vnd.pgrst.object+json; Nulls=stripped", Media::singular_stripped},
        {"application/vnd.pgrst.array+json", Media::json},
        {"application/vnd.pgrst.array+json;nulls=stripped", Media::array_stripped},
        {"text/csv", Media::csv},
        {"application/geo+json", Media::geojson},
        {"application/openapi+json", Media::openapi},
        {"application/vnd.pgrst.plan", Media::plan},
        {"application/vnd.pgrst.plan+json; for=\"application/json\"; options=analyze|verbose", Media::plan},
        {"application/vnd.pgrst.plan+text", Media::plan},
        {"text/plain", Media::text},
        {"application/octet-stream", Media::octet_stream},
        {"text/xml", Media::xml},
        {"image/png", Media::other},
        {"undefined", Media::other},
    };
    for (const auto& [text, media] : cases) {
        const auto ranges = parse_accept(text);
        ASSERT_EQ(ranges.size(), 1U) << text;
        EXPECT_EQ(ranges.front().media, media) << text;
    }
}

TEST(AcceptParser, sorts_by_quality_then_by_specificity) {
    EXPECT_EQ(accept("text/csv;q=0.5, application/json"), "0<application/json> 4<text/csv>");
    EXPECT_EQ(accept("*/*, text/csv"), "4<text/csv> 12<*/*>");
    EXPECT_EQ(accept("text/csv, application/json"), "4<text/csv> 0<application/json>");
    EXPECT_EQ(accept("text/csv;q=0, */*;q=0.1"), "12<*/*>");
    EXPECT_EQ(accept("application/vnd.pgrst.plan;for=\"a,b;q=0\";q=0.2,text/csv;q=x"),
              "4<text/csv> 7<application/vnd.pgrst.plan+text; for=\"a,b;q=0\">");
    EXPECT_EQ(accept(", ,"), "");
    EXPECT_EQ(accept("text/csv ; Q=0.9 ; x=y, text/plain;q=1.000"), "8<text/plain> 4<text/csv>");
}

TEST(AcceptParser, no_header_accepts_anything_and_several_count_together) {
    EXPECT_EQ(read("")->accept.front().media, Media::any);
    const auto request = read("", Method::get, {{"Accept", "text/csv;q=0.5"}, {"accept", "application/json"}});
    ASSERT_EQ(request->accept.size(), 2U);
    EXPECT_EQ(request->accept.front().media, Media::json);
    EXPECT_EQ(read("", Method::post, {{"Content-Type", "Text/CSV; charset=utf-8"}})->content_type, "text/csv");
}

}  // namespace
}  // namespace millrace::request
