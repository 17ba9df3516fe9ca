// One blocking connection for the control plane; whatever libpqxx throws becomes an Error here.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "millrace/core/base.hpp"

namespace millrace::pg {

// Runs `work(transaction)` in one transaction and commits it. A server that cannot be reached is database_unavailable; what
// Postgres refuses is `refused` with Postgres' own message. No password is in either.
template <class Work>
[[nodiscard]] Result<void> in_transaction(const std::string& url, Fault refused, Work work);

[[nodiscard]] Result<std::string> connection_string(const std::string& url);  // with time limits, as keywords and values
[[nodiscard]] Error unreachable(const std::string& url, std::string_view what);
[[nodiscard]] Error refusal(const std::string& url, Fault fault, const pqxx::sql_error& error);

template <class Work>
Result<void> in_transaction(const std::string& url, Fault refused, Work work) {
    const auto options = connection_string(url);
    if (!options) return options.error();
    try {
        pqxx::connection connection(*options);
        pqxx::work transaction(connection);
        work(transaction);
        transaction.commit();
        return {};
    } catch (const pqxx::sql_error& error) {
        return refusal(url, refused, error);
    } catch (const std::exception& error) {
        return unreachable(url, error.what());
    }
}

}  // namespace millrace::pg
