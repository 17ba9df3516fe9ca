// Rows as Postgres prints them become CSV, as PostgREST gives it: a line of names, then records quoted as record_out() does.
#include <algorithm>

#include "row_writers.hpp"

namespace millrace::reply {
namespace {

bool is_special(char c) {
    return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
}

// An empty value is quoted, which tells it from null.
void append_value(std::string& out, std::string_view cell) {
    if (!cell.empty() && std::ranges::none_of(cell, is_special)) {
        out += cell;
        return;
    }
    out += '"';
    for (const char c : cell) {
        if (c == '"' || c == '\\') out += c;
        out += c;
    }
    out += '"';
}

// A name is written as it is, unless it would be taken for two columns or two lines (RFC 4180 §2).
void append_name(std::string& out, std::string_view name) {
    if (name.find_first_of(",\"\r\n") == std::string_view::npos) {
        out += name;
        return;
    }
    out += '"';
    for (const char c : name) out.append(c == '"' ? 2 : 1, c);
    out += '"';
}

void append_header(std::string& out, const sql::Script& script) {
    for (std::size_t column = 0; column < script.cells.size(); ++column) {
        if (column != 0) out += ',';
        append_name(out, script.cells[column].key);
    }
    out += '\n';
}

void append_row(std::string& out, const sql::Script& script, const sql::Rows& rows, std::size_t row) {
    for (std::size_t column = 0; column < script.cells.size(); ++column) {
        if (column != 0) out += ',';
        if (!rows.is_null(row, column)) append_value(out, rows.at(row, column));
    }
}

class CsvWriter final : public RowWriter {
public:
    explicit CsvWriter(const sql::Script& script) : script_(script) {}

    void append(std::string& out, const sql::Rows& rows) override {
        std::size_t bytes = 0;
        for (const std::string_view cell : rows.cells) bytes += cell.size() + 3;
        out.reserve(out.size() + bytes + 16 * script_.cells.size());
        for (std::size_t row = 0; row < rows.count(); ++row) {
            begin_line(out);
            append_row(out, script_, rows, row);
        }
    }
    void finish(std::string& out) override {
        if (!begun_) append_header(out, script_);
    }

private:
    // Ends of lines stand between rows; the header brings its own.
    void begin_line(std::string& out) {
        if (begun_) {
            out += '\n';
        } else {
            append_header(out, script_);
            begun_ = true;
        }
    }

    const sql::Script& script_;
    bool begun_ = false;
};

}  // namespace

std::unique_ptr<RowWriter> csv_writer(const sql::Script& script) { return std::make_unique<CsvWriter>(script); }

void append_csv_rows(std::string& out, const sql::Script& script, const sql::Rows& rows) {
    CsvWriter writer(script);
    writer.append(out, rows);
    writer.finish(out);
}

}  // namespace millrace::reply
