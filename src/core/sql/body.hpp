// The statement around main when Postgres makes the body, or tells its plan.
#pragma once

#include "writer.hpp"

namespace millrace::sql {

// What is told besides the body. Total and location are there in plans only, so that they cost what the whole answer costs.
struct Beside {
    std::string_view total;                   // an expression; empty: the count of `counted`
    const plan::ReadNode* counted = nullptr;  // rows that the filters leave, windows not looked at
    std::string_view counted_source = {};     // a CTE that stands for their relation
    bool location = false;
    bool snapshot = false;  // as a last column
};

// "SELECT count(*), <body> FROM (": main follows, then close_body().
void open_body(Writer& out, const Form& form, const Beside& beside);
void close_body(Writer& out);

// "EXPLAIN (…) " when a plan is wanted.
void open_explain(Writer& out, const Form& form);

}  // namespace millrace::sql
