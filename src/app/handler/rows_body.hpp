// The body of an answer whose rows still come.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "millrace/app/admission.hpp"
#include "millrace/core/pipeline.hpp"
#include "millrace/core/reply.hpp"
#include "millrace/io/http.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

class RowsBody final : public http::BodySource {
public:
    // `opened` has rows left.
    RowsBody(std::shared_ptr<const pipeline::Work> work, pg::Opened opened, http::Trace& trace);

    // The request counts as in flight until its body has ended.
    void keep(Admission::Ticket ticket) { ticket_.emplace(std::move(ticket)); }

    [[nodiscard]] http::asio::awaitable<Part> next(std::string& out) override;

private:
    std::shared_ptr<const pipeline::Work> work_;
    std::unique_ptr<reply::RowWriter> writer_;
    sql::Rows first_;
    std::unique_ptr<pg::RowStream> rest_;
    http::Trace& trace_;
    std::optional<Admission::Ticket> ticket_;
    std::uint64_t bytes_ = 0;  // that were made
};

}  // namespace millrace::app
