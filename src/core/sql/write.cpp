// Writes inserts, upserts, updates and deletes; their rows come from one JSON parameter, whatever their number.
#include "write.hpp"

#include "body.hpp"
#include "read.hpp"
#include "tree.hpp"

namespace millrace::sql {
namespace {

constexpr std::string_view returned = "pgrst_source";
constexpr Alias body_alias{'b', 0}, completed_alias{'x', 0};

using Columns = std::vector<const catalog::Column*>;

void append_names(Writer& out, const Columns& columns) {
    std::string_view separator;
    for (const catalog::Column* column : columns) {
        (out << separator).identifier(column->name);
        separator = ", ";
    }
}

// What a write takes from its body.
struct Body {
    const request::Payload& payload;
    const Columns& columns;
    const std::vector<std::string>& keys;
    bool missing_default;
};

template <class Write>
Body body_of(const Write& write) {
    return {write.payload, write.columns, write.keys, write.missing_default};
}

const catalog::RoutineName* reader_of(const catalog::Column& column) {
    return column.represented && column.represented->from_json ? &*column.represented->from_json : nullptr;
}

void append_routine(Writer& out, const catalog::RoutineName& routine) {
    out.identifier(routine.schema).operator<<('.').identifier(routine.name) << '(';
}

// jsonb_build_object($1::text, default, …): a function takes a hundred arguments at most.
void append_defaults(Writer& out, const Body& body) {
    constexpr std::size_t pairs_max = 50;
    std::size_t pairs = 0;
    for (std::size_t i = 0; i < body.columns.size(); ++i) {
        const std::string& expression = body.columns[i]->default_expression;
        if (expression.empty()) continue;
        if (pairs != 0 && pairs % pairs_max == 0) out << ") || ";
        out << (pairs % pairs_max == 0 ? "jsonb_build_object(" : ", ");
        out.parameter(body.keys[i]) << "::text, " << expression;
        ++pairs;
    }
    out << ") || ";
}

std::string as_array(const request::Payload& payload) { return payload.is_array ? payload.json : "[" + payload.json + "]"; }

// The objects with the defaults of what each of them lacks; made for each, so that a sequence gives each its own value.
void append_completed(Writer& out, const Body& body) {
    out << "jsonb_to_recordset((SELECT jsonb_agg(";
    append_defaults(out, body);
    out << completed_alias << ".value) FROM jsonb_array_elements(";
    out.parameter(as_array(body.payload)) << "::jsonb) AS " << completed_alias << ')';
}

// json_to_recordset($1::json) AS b0("key" type, …): the payload as rows of the columns' types.
void append_recordset(Writer& out, const Body& body) {
    if (body.missing_default) {
        append_completed(out, body);
    } else {
        out << (body.columns.empty() ? "json_array_elements(" : "json_to_recordset(");
        out.parameter(as_array(body.payload)) << "::json";
    }
    out << ") AS " << body_alias;
    if (body.columns.empty()) return;
    std::string_view separator = "(";
    for (std::size_t i = 0; i < body.columns.size(); ++i) {
        const catalog::Column& column = *body.columns[i];
        (out << separator).identifier(body.keys[i]) << ' ' << (reader_of(column) != nullptr ? "json" : column.type);
        separator = ", ";
    }
    out << ')';
}

// A column's value in the payload, read as its domain wants it.
void append_value(Writer& out, const Body& body, std::size_t i) {
    const catalog::RoutineName* reader = reader_of(*body.columns[i]);
    if (reader != nullptr) append_routine(out, *reader);
    out.column(body_alias, body.keys[i]);
    if (reader != nullptr) out << ')';
}

// Rows that need embeds, an order or aggregates, or that become a body in Postgres, are read from the write as a CTE; others
// come straight from RETURNING.
bool needs_cte(const std::optional<plan::ReadNode>& returning, const Form& form) {
    if (!returning) return false;
    return form.output == Output::body || !returning->embeds.empty() || !returning->orders.empty() ||
           has_aggregates(*returning);
}

void open_cte(Writer& out, const std::optional<plan::ReadNode>& returning, const Form& form) {
    if (needs_cte(returning, form)) out << "WITH " << returned << " AS (";
}

void append_needed(Writer& out, const plan::ReadNode& root) {
    const std::vector<std::string_view> columns = needed_columns(root);
    std::string_view separator;
    for (const std::string_view column : columns) {
        (out << separator).column(root_alias, column);
        separator = ", ";
    }
    if (needs_row(root)) {
        (out << separator << root_alias << " AS ").identifier(carried_row);
    } else if (columns.empty()) {
        out << '1';
    }
}

// What is selected behind the write: its rows, or the body that Postgres makes of them.
void append_returned(Writer& out, const plan::ReadNode& returning, const Form& form, std::vector<OutputCell>& cells) {
    if (form.output == Output::body) open_body(out, form, {.total = "''", .location = true});
    append_read(out, returning, {.source = returned, .want_snapshot = false, .one_row = false, .output = form.output}, cells);
    if (form.output == Output::body) close_body(out);
}

void close_with_returning(Writer& out, const std::optional<plan::ReadNode>& returning, const Form& form,
                          std::vector<OutputCell>& cells) {
    if (!returning) return;
    out << " RETURNING ";
    if (!needs_cte(returning, form)) return append_returning(out, *returning, form.output, cells);
    append_needed(out, *returning);
    out << ") ";
    append_returned(out, *returning, form, cells);
}

// Counts rows in a setting of the transaction, as rows are inserted (+) and found to be there already (-). It is the one way
// that views and partitioned tables leave open: they have no xmax to tell the two apart.
void append_counting(Conjunction& conjunction, char sign) {
    conjunction.next() << "set_config('millrace.inserted', (coalesce(" << inserted_count << "::int, 0) " << sign
                       << " 1)::text, true) IS NOT NULL";
}

void append_match(Writer& out, const plan::Insert& insert, const plan::KeyMatch& match) {
    const auto& represented = insert.columns[match.column]->represented;
    append_value(out, body_of(insert), match.column);
    out << " = ";
    if (!represented || !represented->from_text) {
        out.parameter(match.value);
        return;
    }
    append_routine(out, *represented->from_text);
    out.parameter(match.value) << "::text)";
}

// Rows of a PUT must have the key of the URL.
void append_matching(Writer& out, const plan::Insert& insert) {
    Conjunction conjunction(out, " WHERE ");
    for (const plan::KeyMatch& match : insert.matching) {
        conjunction.next();
        append_match(out, insert, match);
    }
    if (counts_inserted(insert)) append_counting(conjunction, '+');
}

void append_conflict(Writer& out, const plan::Insert& insert) {
    if (insert.resolution == request::Resolution::none || insert.conflict.empty()) return;
    out << " ON CONFLICT (";
    append_names(out, insert.conflict);
    if (insert.resolution == request::Resolution::ignore_duplicates || insert.columns.empty()) {
        out << ") DO NOTHING";
        return;
    }
    std::string_view separator = ") DO UPDATE SET ";
    for (const catalog::Column* column : insert.columns) {
        (out << separator).identifier(column->name) << " = EXCLUDED.";
        out.identifier(column->name);
        separator = ", ";
    }
    Conjunction conjunction(out, " WHERE ");
    append_counting(conjunction, '-');
}

void append_insert_columns(Writer& out, const plan::Insert& insert) {
    if (!insert.columns.empty()) {
        out << " (";
        append_names(out, insert.columns);
        out << ')';
    }
    out << " SELECT";
    std::string_view separator = " ";
    for (std::size_t i = 0; i < insert.columns.size(); ++i) {
        out << separator;
        append_value(out, body_of(insert), i);
        separator = ", ";
    }
}

void append_set(Writer& out, const plan::Update& update) {
    std::string_view separator = " SET ";
    for (std::size_t i = 0; i < update.columns.size(); ++i) {
        (out << separator).identifier(update.columns[i]->name) << " = ";
        append_value(out, body_of(update), i);
        separator = ", ";
    }
}

// An update of no columns would be no SQL: it changes nothing, and what it returns has the right columns but no rows.
void append_empty_update(Writer& out, const plan::Update& update, const Form& form, std::vector<OutputCell>& cells) {
    if (!update.returning) {
        out << "SELECT WHERE false";
        return;
    }
    out << "WITH " << returned << " AS (SELECT ";
    append_needed(out, *update.returning);
    out << " FROM ";
    out.relation(*update.resource->relation) << " AS " << root_alias << " WHERE false) ";
    append_returned(out, *update.returning, form, cells);
}

}  // namespace

bool counts_inserted(const plan::Insert& insert) { return insert.resolution == request::Resolution::merge_duplicates; }

void append_write(Writer& out, const plan::Insert& insert, const Form& form, std::vector<OutputCell>& cells) {
    open_cte(out, insert.returning, form);
    out << "INSERT INTO ";
    out.relation(*insert.resource->relation) << " AS " << root_alias;
    append_insert_columns(out, insert);
    out << " FROM ";
    append_recordset(out, body_of(insert));
    append_matching(out, insert);
    append_conflict(out, insert);
    close_with_returning(out, insert.returning, form, cells);
}

void append_write(Writer& out, const plan::Update& update, const Form& form, std::vector<OutputCell>& cells) {
    if (update.columns.empty()) return append_empty_update(out, update, form, cells);
    open_cte(out, update.returning, form);
    out << "UPDATE ";
    out.relation(*update.resource->relation) << " AS " << root_alias;
    append_set(out, update);
    out << " FROM ";
    append_recordset(out, body_of(update));
    append_where(out, update.filters, root_alias);
    close_with_returning(out, update.returning, form, cells);
}

void append_write(Writer& out, const plan::Remove& remove, const Form& form, std::vector<OutputCell>& cells) {
    open_cte(out, remove.returning, form);
    out << "DELETE FROM ";
    out.relation(*remove.resource->relation) << " AS " << root_alias;
    append_where(out, remove.filters, root_alias);
    close_with_returning(out, remove.returning, form, cells);
}

}  // namespace millrace::sql
