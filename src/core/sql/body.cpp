// Writes how rows become a body in Postgres: an aggregate of the database, a collection of features, or what a plan is told of.
#include "body.hpp"

#include "read.hpp"

namespace millrace::sql {
namespace {

constexpr std::string_view rows = "\"_\"";

void append_handler(Writer& out, const BodyForm& body) {
    out.identifier(body.handler.schema).operator<<('.').identifier(body.handler.name) << '(' << rows;
    if (body.of_value) out << '.' << routes::scalar_column;
    if (body.rows_of != nullptr) {
        out << "::";
        out.relation(*body.rows_of);
    }
    out << ')';
}

void append_json(Writer& out, const BodyForm& body) {
    const bool one = body.kind == BodyKind::object;
    out << "coalesce(" << (body.nulls_stripped ? "json_strip_nulls(" : "") << "json_agg(" << rows << ')' << (one ? "->0" : "")
        << (body.nulls_stripped ? ")" : "") << (one ? ", 'null')" : ", '[]')");
}

void append_expression(Writer& out, const BodyForm& body) {
    switch (body.kind) {
        case BodyKind::array:
        case BodyKind::object:
            return append_json(out, body);
        case BodyKind::csv:
            out << "coalesce(string_agg(substring(" << rows << "::text, 2, length(" << rows << "::text) - 2), E'\\n'), '')";
            return;
        case BodyKind::features:
            out << "json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(ST_AsGeoJSON(" << rows
                << ")::json), '[]'))";
            return;
        case BodyKind::handler:
            return append_handler(out, body);
        case BodyKind::value:
            out << rows << '.' << routes::scalar_column;
            return;
    }
}

void append_total(Writer& out, const Beside& beside) {
    if (!beside.total.empty()) {
        out << beside.total;
        return;
    }
    out << '(';
    append_count(out, *beside.counted, 0, beside.counted_source);
    out << ')';
}

}  // namespace

void open_body(Writer& out, const Form& form, const Beside& beside) {
    const bool one_value = form.body.kind == BodyKind::value;
    const bool as_hex = form.body.binary && !form.explain;
    out << "SELECT ";
    if (form.explain) {
        append_total(out, beside);
        out << " AS total, ";
    }
    out << (one_value ? "1" : "count(*)") << " AS page, ";
    if (form.explain && beside.location) out << "array[]::text[] AS location, ";
    if (as_hex) out << "encode((";
    append_expression(out, form.body);
    if (as_hex) out << ")::bytea, 'hex')";
    out << " AS body";
    if (beside.snapshot) out << ", " << snapshot;
    out << " FROM (";
}

void close_body(Writer& out) { out << ") AS " << rows; }

void open_explain(Writer& out, const Form& form) {
    if (!form.explain) return;
    const Explain& explain = *form.explain;
    out << "EXPLAIN (FORMAT " << (explain.json ? "JSON" : "TEXT");
    if (explain.analyze) out << ", ANALYZE";
    if (explain.verbose) out << ", VERBOSE";
    if (explain.settings) out << ", SETTINGS";
    if (explain.buffers) out << ", BUFFERS";
    if (explain.wal) out << ", WAL";
    out << ") ";
}

}  // namespace millrace::sql
