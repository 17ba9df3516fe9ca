// Views rows where libpq keeps them, and reads the fields of its errors.
#include "lane_result.hpp"

#include <charconv>
#include <cstring>
#include <string_view>

namespace millrace::pg {
namespace {

std::string_view field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string_view() : std::string_view(text);
}

// A null has length 0 as an empty string has, so only those two need to be told apart.
std::string_view cell_at(const PGresult* result, int row, int column) {
    const auto length = static_cast<std::size_t>(PQgetlength(result, row, column));
    if (length == 0 && PQgetisnull(result, row, column) == 1) return {};
    return {PQgetvalue(result, row, column), length};
}

std::uint64_t affected_by(PGresult* result) {
    if (*PQcmdStatus(result) == 'S') return 0;  // SELECT, SET, SHOW
    const char* text = PQcmdTuples(result);
    std::uint64_t count = 0;
    std::from_chars(text, text + std::strlen(text), count);
    return count;
}

}  // namespace

sql::Rows to_rows(ResultPointer result) {
    sql::Rows rows;
    rows.affected = affected_by(result.get());
    const int columns = PQnfields(result.get());
    const int count = PQntuples(result.get());
    rows.columns = static_cast<std::size_t>(columns);
    rows.cells.reserve(rows.columns * static_cast<std::size_t>(count));
    for (int row = 0; row < count; ++row) {
        for (int column = 0; column < columns; ++column) rows.cells.push_back(cell_at(result.get(), row, column));
    }
    rows.owner =
        std::shared_ptr<const PGresult>(result.release(), [](const PGresult* r) { PQclear(const_cast<PGresult*>(r)); });
    return rows;
}

DatabaseMessage to_message(const PGresult* result) {
    return {std::string(field(result, PG_DIAG_SQLSTATE)), std::string(field(result, PG_DIAG_MESSAGE_PRIMARY)),
            std::string(field(result, PG_DIAG_MESSAGE_DETAIL)), std::string(field(result, PG_DIAG_MESSAGE_HINT))};
}

bool ends_connection(const PGresult* result) {
    const auto state = field(result, PG_DIAG_SQLSTATE);
    return state.empty() || state == "57P01" || state == "57P02" || state == "57P03";
}

bool is_read_only(const PGresult* result) { return field(result, PG_DIAG_SQLSTATE) == "25006"; }

// The text of "cached plan must not change result type" is translated by the server; the function that reports it is not.
bool statement_is_gone(const PGresult* result) {
    const auto state = field(result, PG_DIAG_SQLSTATE);
    if (state == "26000") return true;
    return state == "0A000" && field(result, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
}

}  // namespace millrace::pg
