// The body of an answer whose rows still come.
#pragma once

#include <memory>
#include <string>

#include "counted_body.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/io/http.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

class RowsBody final : public CountedBody {
public:
    // `opened` has rows left.
    RowsBody(std::shared_ptr<const pipeline::Work> work, pg::Opened opened, http::Trace& trace);

    [[nodiscard]] http::asio::awaitable<Part> next(std::string& out) override;

private:
    std::shared_ptr<const pipeline::Work> work_;
    std::unique_ptr<reply::RowWriter> writer_;
    sql::Rows first_;
    std::unique_ptr<pg::RowStream> rest_;
    http::Trace& trace_;
    std::uint64_t bytes_ = 0;  // that were made
};

}  // namespace millrace::app
