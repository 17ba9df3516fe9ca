// Errors as values, built from the table.
#include <string>

#include "millrace/core/base.hpp"

namespace millrace {

Error Error::of(Fault fault, std::string message) {
    const FaultRow& row = fault_row(fault);
    Error error;
    error.fault = fault;
    error.code = row.code;
    error.status = row.status;
    error.message = message.empty() ? std::string(row.message) : std::move(message);
    return error;
}

Error&& Error::with_details(std::string text) && {
    details = std::move(text);
    return std::move(*this);
}

Error&& Error::with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
}

Error&& Error::with_header(std::string name, std::string value) && {
    headers.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
}

}  // namespace millrace
