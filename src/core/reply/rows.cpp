// Rows as Postgres sends them become JSON text: the inner loop of every read.
#include <utility>

#include "millrace/core/reply.hpp"
#include "millrace/core/text.hpp"
#include "row_writers.hpp"
#include "stripped.hpp"

namespace millrace::reply {
namespace {

void append_quoted(std::string& out, std::string_view plain) {
    out += '"';
    out += plain;
    out += '"';
}

// NaN and Infinity have no JSON number; Postgres' to_json makes them strings.
void append_number(std::string& out, std::string_view cell) {
    const char last = cell.empty() ? 'N' : cell.back();
    if (last == 'N' || last == 'y') {
        append_quoted(out, cell);
    } else {
        out += cell;
    }
}

// "2026-01-01 10:00:00+02" → "2026-01-01T10:00:00+02:00", as to_json prints it (ISO 8601); "infinity" stays as it is.
void append_timestamp(std::string& out, std::string_view cell, bool zoned) {
    constexpr std::string_view before_christ = " BC";
    const bool bc = cell.ends_with(before_christ);
    if (bc) cell.remove_suffix(before_christ.size());
    const std::size_t space = cell.find(' ');
    out += '"';
    const std::size_t start = out.size();
    out += cell;
    if (space != std::string_view::npos && cell.size() >= 3) {
        out[start + space] = 'T';
        const char sign = cell[cell.size() - 3];  // of an offset in whole hours
        if (zoned && (sign == '+' || sign == '-')) out += ":00";
    }
    if (bc) out += before_christ;
    out += '"';
}

void append_cell(std::string& out, sql::CellKind kind, std::string_view cell) {
    if (cell.data() == nullptr) {
        out += "null";
        return;
    }
    switch (kind) {
        case sql::CellKind::json:
            out += cell;
            return;
        case sql::CellKind::number:
            append_number(out, cell);
            return;
        case sql::CellKind::boolean:
            out += cell == "t" ? "true" : "false";
            return;
        case sql::CellKind::text:
            text::append_json_string(out, cell);
            return;
        case sql::CellKind::plain:
            append_quoted(out, cell);
            return;
        case sql::CellKind::timestamp:
            append_timestamp(out, cell, false);
            return;
        case sql::CellKind::timestamptz:
            append_timestamp(out, cell, true);
            return;
    }
}

// What stands before each cell's value: `{"id":`, `,"name":`. Made once per reply, used for every row.
std::vector<std::string> openings(const std::vector<sql::OutputCell>& cells) {
    std::vector<std::string> out;
    out.reserve(cells.size());
    for (const sql::OutputCell& cell : cells) {
        std::string& opening = out.emplace_back(1, out.empty() ? '{' : ',');
        text::append_json_string(opening, cell.key);
        opening += ':';
    }
    return out;
}

std::size_t estimate(const sql::Script& script, const sql::Rows& rows, const std::vector<std::string>& opening) {
    std::size_t bytes = 2;
    for (const std::string& o : opening) bytes += (o.size() + 3) * rows.count();
    for (const std::string_view cell : rows.cells) bytes += cell.size() + cell.size() / 8;
    return bytes + script.cells.size();
}

void append_json_row(std::string& out, const sql::Script& script, const sql::Rows& rows, std::size_t row,
                     const std::vector<std::string>& opening) {
    if (opening.empty()) {
        out += "{}";
        return;
    }
    for (std::size_t column = 0; column < opening.size(); ++column) {
        out += opening[column];
        append_cell(out, script.cells[column].kind, rows.at(row, column));
    }
    out += '}';
}

// Is there anything left of a cell without its nulls? A JSON null is none either.
bool has_value(const sql::OutputCell& cell, std::string_view value) {
    return value.data() != nullptr && !(cell.kind == sql::CellKind::json && value == "null");
}

void append_stripped_row(std::string& out, const sql::Script& script, const sql::Rows& rows, std::size_t row,
                         const std::vector<std::string>& opening) {
    const std::size_t start = out.size();
    for (std::size_t column = 0; column < opening.size(); ++column) {
        const sql::OutputCell& cell = script.cells[column];
        const std::string_view value = rows.at(row, column);
        if (!has_value(cell, value)) continue;
        const bool first = out.size() == start;
        out += first ? '{' : ',';
        out.append(opening[column], 1);
        if (cell.kind == sql::CellKind::json) {
            append_without_nulls(out, value);
        } else {
            append_cell(out, cell.kind, value);
        }
    }
    out += out.size() == start ? "{}" : "}";
}

}  // namespace

void append_stripped_rows(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form) {
    const std::vector<std::string> opening = openings(script.cells);
    if (form == RowsForm::array) out += '[';
    for (std::size_t row = 0; row < rows.count(); ++row) {
        if (row != 0) out += ',';
        append_stripped_row(out, script, rows, row, opening);
    }
    if (form == RowsForm::array) out += ']';
}

void append_json_rows(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form) {
    const std::vector<std::string> opening = openings(script.cells);
    out.reserve(out.size() + estimate(script, rows, opening));
    if (form == RowsForm::array) out += '[';
    for (std::size_t row = 0; row < rows.count(); ++row) {
        if (row != 0) out += ',';
        append_json_row(out, script, rows, row, opening);
    }
    if (form == RowsForm::array) out += ']';
}

void append_json_values(std::string& out, const sql::Script& script, const sql::Rows& rows, RowsForm form) {
    if (form == RowsForm::array) out += '[';
    for (std::size_t row = 0; row < rows.count(); ++row) {
        if (row != 0) out += ',';
        append_cell(out, script.cells.front().kind, rows.at(row, 0));
    }
    if (form == RowsForm::array) out += ']';
}

namespace {

using AppendRow = void (*)(std::string&, const sql::Script&, const sql::Rows&, std::size_t, const std::vector<std::string>&);

class JsonArrayWriter final : public RowWriter {
public:
    JsonArrayWriter(const sql::Script& script, AppendRow append_row)
        : script_(script), opening_(openings(script.cells)), append_row_(append_row) {}

    void append(std::string& out, const sql::Rows& rows) override {
        out.reserve(out.size() + estimate(script_, rows, opening_));
        for (std::size_t row = 0; row < rows.count(); ++row) {
            out += std::exchange(separator_, ',');
            append_row_(out, script_, rows, row, opening_);
        }
    }
    void finish(std::string& out) override { out += separator_ == '[' ? "[]" : "]"; }

private:
    const sql::Script& script_;
    const std::vector<std::string> opening_;
    AppendRow append_row_;
    char separator_ = '[';
};

}  // namespace

std::unique_ptr<RowWriter> json_writer(const sql::Script& script, bool nulls_stripped) {
    return std::make_unique<JsonArrayWriter>(script, nulls_stripped ? append_stripped_row : append_json_row);
}

}  // namespace millrace::reply
