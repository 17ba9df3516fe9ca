// Writes calls: the function stands where a read has its relation, and its arguments are parameters of the declared types.
#include "call.hpp"

#include <array>

#include "body.hpp"
#include "millrace/core/text.hpp"
#include "read.hpp"

namespace millrace::sql {
namespace {

using catalog::Parameter;

constexpr Alias body_alias{'b', 0};
constexpr std::string_view called = "pgrst_source";

// A cast to these without a length would cut the value to one character or bit; a function's parameter has no length.
std::string_view argument_type(const Parameter& parameter) {
    struct Longer {
        std::string_view type, instead;
    };
    constexpr std::array longer = {
        Longer{"character", "character varying"},
        Longer{"character[]", "character varying[]"},
        Longer{"bit", "bit varying"},
        Longer{"bit[]", "bit varying[]"},
    };
    for (const Longer& each : longer)
        if (parameter.type == each.type) return each.instead;
    return parameter.type;
}

bool members_of_body(const plan::Call& call) {
    return !call.parameters.empty() && call.values.empty() && !call.parameters.front()->name.empty();
}

void append_value(Writer& out, const plan::Call& call, std::size_t argument) {
    const Parameter& parameter = *call.parameters[argument];
    if (!call.values.empty()) {
        out.parameter(call.values[argument]) << "::" << argument_type(parameter);
    } else if (parameter.name.empty()) {
        out.parameter(parameter.type == "bytea" ? "\\x" + text::hex(text::bytes_of(call.body)) : call.body)
            << "::" << parameter.type;
    } else {
        out.column(body_alias, parameter.name);
    }
}

// "schema"."name"("a" := $1::integer, VARIADIC "v" := $2::text[])
void append_function(Writer& out, const plan::Call& call) {
    out.identifier(call.function->schema) << '.';
    out.identifier(call.function->name) << '(';
    for (std::size_t i = 0; i < call.parameters.size(); ++i) {
        const Parameter& parameter = *call.parameters[i];
        if (i > 0) out << ", ";
        if (parameter.variadic) out << "VARIADIC ";
        if (!parameter.name.empty()) out.identifier(parameter.name) << " := ";
        append_value(out, call, i);
    }
    out << ')';
}

bool returns_rows(const plan::Call& call) {
    return call.function->result == catalog::ResultKind::composite || call.function->result == catalog::ResultKind::table;
}

// json_to_record($1::json) AS b0("a" integer, …): the arguments as one row. Of an array of objects the first counts.
void append_body(Writer& out, const plan::Call& call) {
    out << (call.body_is_array ? "(SELECT * FROM json_to_recordset(" : "json_to_record(");
    out.parameter(call.body) << "::json) AS " << body_alias;
    std::string_view separator = "(";
    for (const Parameter* parameter : call.parameters) {
        (out << separator).identifier(parameter->name) << ' ' << argument_type(*parameter);
        separator = ", ";
    }
    out << ')';
    if (call.body_is_array) out << " LIMIT 1) AS " << body_alias;
}

void open_called(Writer& out, const plan::Call& call) {
    out << "WITH " << called << " AS (SELECT " << root_alias << ".*";
    if (needs_row(call.rows)) (out << ", " << root_alias << " AS ").identifier(carried_row);
    out << " FROM ";
    append_call_source(out, call);
    out << ") ";
}

// The total is there without rows too, so the rows hang on it.
void append_rows_with_total(Writer& out, const plan::Call& call, const Form& form, std::vector<OutputCell>& cells) {
    open_called(out, call);
    out << "SELECT r0.*, c0.total FROM (";
    append_count(out, call.rows, 0, called);
    out << ") AS c0(total) LEFT JOIN LATERAL (";
    append_read(out, call.rows, {.source = called, .output = form.output, .mark_rows = true}, cells);
    out << ") AS r0 ON true";
}

std::string_view total_of(const plan::Call& call, bool with_total) {
    if (call.count == request::CountKind::none) return "NULL::bigint";
    return with_total ? std::string_view() : "count(*)";
}

void append_body_and_total(Writer& out, const plan::Call& call, const Form& form, bool with_total,
                           std::vector<OutputCell>& cells) {
    const bool beside = with_total && !form.explain;  // a plan has its total inside
    if (with_total) open_called(out, call);
    if (beside) {
        out << "SELECT b0.*, (";
        append_count(out, call.rows, 0, called);
        out << ") FROM (";
    }
    open_body(out, form, {.total = total_of(call, with_total), .counted = &call.rows, .counted_source = called});
    if (with_total) {
        append_read(out, call.rows, {.source = called, .output = form.output}, cells);
    } else {
        append_read(out, call.rows, {.source = {}, .output = form.output, .call = &call}, cells);
    }
    close_body(out);
    if (beside) out << ") AS b0";
}

}  // namespace

void append_call_source(Writer& out, const plan::Call& call) {
    const bool from_body = members_of_body(call);
    if (from_body) {
        append_body(out, call);
        out << " CROSS JOIN LATERAL ";
    }
    if (!returns_rows(call)) out << "(SELECT ";
    append_function(out, call);
    if (!returns_rows(call)) out << " AS " << routes::scalar_column << ')';
    out << " AS " << root_alias;
}

bool append_call(Writer& out, const plan::Call& call, const Form& form, std::vector<OutputCell>& cells) {
    const request::Window& window = call.rows.window;
    const bool with_total = call.count != request::CountKind::none && (window.limit || window.offset > 0);
    if (form.output == Output::body) {
        append_body_and_total(out, call, form, with_total, cells);
    } else if (with_total) {
        append_rows_with_total(out, call, form, cells);
    } else {
        append_read(out, call.rows, {.source = {}, .output = form.output, .call = &call}, cells);
    }
    return with_total && !form.explain;
}

}  // namespace millrace::sql
