// Purges: an invalidation by a transaction that changes nothing.
#include "introspect_session.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {
namespace {

std::string array_literal(const std::vector<std::string>& words) {
    std::string out = "{";
    for (const std::string& word : words) {
        if (out.size() > 1) out += ',';
        out += '"';
        for (const char c : word) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return out += '}';
}

}  // namespace

Result<std::string> purge(const std::string& url, const std::vector<std::string>& tags) {
    std::string xid;
    auto done = in_transaction(url, Fault::database_error, [&](pqxx::work& transaction) {
        const auto row =
            transaction.exec_params1("select pg_current_xact_id()::text from millrace.purge($1::text[])", array_literal(tags));
        xid = row[0].as<std::string>();
    });
    if (!done) return std::move(done).error();
    return xid;
}

}  // namespace millrace::pg
