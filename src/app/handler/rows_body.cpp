// Turns the rows of one read after another batch into the bytes of its answer.
#include "rows_body.hpp"

#include <utility>

namespace millrace::app {

RowsBody::RowsBody(std::shared_ptr<const pipeline::Work> work, pg::Opened opened, http::Trace& trace)
    : work_(std::move(work)),
      writer_(reply::row_writer(work_->shape, work_->script)),
      first_(std::move(opened.results[work_->script.main])),
      rest_(std::move(opened.rest)),
      trace_(trace) {}

http::asio::awaitable<http::BodySource::Part> RowsBody::next(std::string& out) {
    sql::Rows rows = std::exchange(first_, {});
    if (rows.count() == 0) {
        auto more = co_await rest_->next();
        trace_.database = rest_->took();
        if (!more) {
            trace_.error_code = more.error().code;
            co_return Part::broken;
        }
        rows = std::move(*more);
    }
    if (rows.count() == 0) {
        writer_->finish(out);
        co_return Part::end;
    }
    writer_->append(out, rows);
    bytes_ += out.size();
    const std::uint64_t most = work_->policies().answer_bytes_max;
    if (most == 0 || bytes_ <= most) co_return Part::more;
    trace_.error_code = fault_row(Fault::answer_too_large).code;
    co_return Part::broken;
}

}  // namespace millrace::app
