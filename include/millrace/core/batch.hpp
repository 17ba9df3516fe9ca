// Several operations in one transaction: what a batch says, its operations as one script, and their answers as one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/base.hpp"
#include "millrace/core/message.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::batch {

// As the batch says it, with the path as it would stand in a request of its own.
struct Operation {
    message::Method method = message::Method::get;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

// {"operations": [{"method": "POST", "path": "/products", "headers": {…}, "body": …}, …]}: bodies keep their bytes. `base`
// stands before each path. Fails with bad_batch and batch_too_large.
[[nodiscard]] Result<std::vector<Operation>> parse(std::string_view body, const std::string& base, std::size_t operations_max);

// The operation as a request of the same caller. Views into both.
[[nodiscard]] message::Request request_of(const Operation& operation, const message::Request& batch);

// Where a batch may be sent to: "/v1/batch", unless the version shows something else there.
struct Place {
    const routes::ApiCatalog* api = nullptr;
    std::string base;
};
[[nodiscard]] std::optional<Place> find_place(const pipeline::Snapshot& snapshot, const message::Request& request,
                                              WallTime now);

using Work = std::shared_ptr<const pipeline::Work>;

// Fails with bad_batch: what takes part does so in the batch's own transaction, and is a matter of the database.
[[nodiscard]] Result<void> may_take_part(const pipeline::Work& work);

// All operations, in order, as one transaction, which begins with the claim of a key if there is one.
struct Plan {
    std::vector<Work> works;
    sql::Script script;
    struct Part {
        std::size_t at = 0;        // of its first statement in the script
        std::size_t left_out = 0;  // of its own first ones
    };
    std::vector<Part> parts;
    std::optional<idempotency::Key> key;
    std::string role;  // as which the transaction ends, when a key is claimed
};
[[nodiscard]] Plan make_plan(std::vector<Work> works, std::optional<idempotency::Key> key, const std::string& role);

// Which operation a statement is of; nothing for what the batch itself does.
[[nodiscard]] std::optional<std::size_t> operation_at(const Plan& plan, std::size_t statement);
[[nodiscard]] sql::Results results_of(const Plan& plan, std::size_t operation, const sql::Results& results);

// `error` is what the operation would have been answered.
[[nodiscard]] Error failed(std::size_t operation, const Error& error);

// Judges all operations, makes the one answer and, with a key, keeps it. `requests` are those of the operations.
[[nodiscard]] sql::Closing closing(const Plan& plan, const std::vector<message::Request>& requests, message::Reply& reply);

}  // namespace millrace::batch
