// Requests and the SQL that they must become.
#pragma once

#include <gtest/gtest.h>

#include "millrace/core/sql.hpp"
#include "millrace/core/text.hpp"
#include "shop.hpp"

namespace millrace::shop {

struct Golden {
    const char* about;
    const char* resource;
    request::ApiRequest request;
    std::string sql;
    std::vector<std::string> parameters;
};

inline sql::Script script_of(const request::ApiRequest& request, const routes::Resource& resource) {
    const auto plan = make(request, resource, {}, true);
    EXPECT_TRUE(plan) << plan.error().message;
    return sql::render(*plan, {});
}

inline void check(const std::vector<Golden>& table, const Shop& shop) {
    for (const Golden& each : table) {
        SCOPED_TRACE(each.about);
        const auto script = script_of(each.request, shop[each.resource]);
        ASSERT_EQ(script.statements.size(), 1U);
        EXPECT_EQ(script.statements[0].text, each.sql);
        std::vector<std::string> parameters;
        for (const auto& parameter : script.statements[0].parameters) parameters.push_back(parameter.value());
        EXPECT_EQ(parameters, each.parameters);
        EXPECT_EQ(script.statements[0].shape, text::hash64(each.sql));
    }
}

}  // namespace millrace::shop
