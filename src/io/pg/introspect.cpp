// Reads what a database has into a Catalog, in one read-only snapshot; and runs scripts for the control plane.
#include "introspect_reader.hpp"
#include "introspect_session.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::pg {

Result<std::shared_ptr<const catalog::Catalog>> introspect(const std::string& url, const std::vector<std::string>& schemas,
                                                           const std::string& anonymous_role,
                                                           const std::vector<std::string>& extra_schemas,
                                                           const std::vector<std::string>& relations, WatchedBy watched_by) {
    auto catalog = std::make_shared<catalog::Catalog>();
    auto done = in_transaction(url, Fault::catalog_unavailable, [&](pqxx::work& transaction) {
        *catalog = CatalogReader(transaction, schemas, {extra_schemas, relations, watched_by}).read(anonymous_role);
    });
    if (!done) return std::move(done).error();
    return std::shared_ptr<const catalog::Catalog>(std::move(catalog));
}

Result<void> execute(const std::string& url, const std::string& sql) {
    return in_transaction(url, Fault::database_error, [&](pqxx::work& transaction) {
        transaction.exec("set local client_min_messages = 'warning'");
        transaction.exec(sql);
    });
}

}  // namespace millrace::pg
