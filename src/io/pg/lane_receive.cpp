// Takes results in the order of what was sent and gives each request its answer.
#include <libpq-fe.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <string_view>
#include <utility>

#include "lane.hpp"
#include "lane_result.hpp"
#include "millrace/io/net.hpp"

namespace millrace::pg {
namespace {

constexpr unsigned reads_of_one_max = 64;  // libpq takes at most 64 KiB or so at a time

// Since Postgres 14 a server says by itself whether it is a standby; of an older one, or behind a pooler, it is believed.
bool takes_no_writes(const PGconn* connection) {
    const char* const standby = PQparameterStatus(connection, "in_hot_standby");
    return standby == nullptr || std::string_view(standby) == "on";
}

}  // namespace

// One wait is always pending, without a request too: that is how a closed connection is noticed.
void Lane::arm_read() {
    if (std::exchange(waits_, true)) return;
    auto ready = [self = shared_from_this(), generation = generation_](boost::system::error_code failed) {
        if (failed || self->closed_ || generation != self->generation_) return;
        self->waits_ = false;
        if (!self->held_) self->on_readable();
    };
    connection_.socket().async_wait(asio::posix::stream_descriptor::wait_read, std::move(ready));
}

void Lane::on_readable() {
    if (PQconsumeInput(connection_.get()) == 0) return break_up(connection_.error());
    go_on();
}

// The wait goes on: when its time comes, what it waited for may have been taken.
void Lane::catch_up() {
    if (!closed_ && awaits_results()) on_readable();
}

int Lane::socket() const { return PQsocket(connection_.get()); }

void Lane::go_on() {
    const std::size_t taken_before = taken_;
    if (!take_all()) return break_up(connection_.error());
    if (taken_ != taken_before) owner_->answered();
    if (leave_if_retired()) return;
    hold_or_read();
    settle_cancel();
    if (taken_ == taken_before && is_too_large()) return give_up_too_large();
    owner_->turned(*this);
}

// While rows wait to be taken the socket is not read: it fills, and Postgres waits.
void Lane::hold_or_read() {
    Request* const request = steps_.empty() ? nullptr : steps_.front().request;
    held_ = request != nullptr && request->full();
    if (!held_) arm_read();
    if (request != nullptr && !request->answered() && request->has_rows()) owner_->rows_came(*request);
}

void Lane::resume() {
    if (!std::exchange(held_, false)) return;
    asio::post(context_, [self = shared_from_this(), generation = generation_] {
        if (!self->closed_ && generation == self->generation_) self->go_on();
    });
}

// libpq keeps the rows of a statement until it is complete, unless it hands them out one at a time. That would cost each small
// answer of a shared lane something; so a result that does not end in many reads is given up there and asked for elsewhere.
bool Lane::is_too_large() {
    if (settings_.depth_max == 1 || steps_.empty()) return false;
    const Step& step = steps_.front();
    return ++reads_of_one_ > reads_of_one_max && step.request != nullptr && !step.request->answered() && !step.request->writes;
}

void Lane::give_up_too_large() {
    owner_->too_large(*steps_.front().request);
    break_up("A result is too large for a lane that others share");
}

// False: what came does not fit what was sent, or the connection ends.
bool Lane::take_all() {
    auto* const connection = connection_.get();
    if (!steps_.empty()) heard_ = net::now();
    stalled_ = false;
    while (!steps_.empty() && !is_full(steps_.front()) && PQisBusy(connection) == 0) {
        if (!take(ResultPointer(PQgetResult(connection)))) return false;
    }
    return PQstatus(connection) == CONNECTION_OK;
}

bool Lane::take(ResultPointer result) {
    auto& step = steps_.front();
    if (!result) {
        // The end of one statement's results; after an error that came with the Sync itself there is one more, but no two.
        if (step.kind == Step::Kind::sync) return !std::exchange(step.ended, true);
        steps_.pop_front();
        ask_for_single_rows();
        return true;
    }
    ++taken_;
    reads_of_one_ = 0;
    switch (PQresultStatus(result.get())) {
        case PGRES_PIPELINE_SYNC:
            return step.kind == Step::Kind::sync && take_sync();
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
            if (step.kind == Step::Kind::statement) take_rows(step, std::move(result));
            return true;
        case PGRES_SINGLE_TUPLE:
            if (!step.streams) return false;
            if (!step.request->answered()) step.request->rows.add(result.get());
            return true;
        case PGRES_PIPELINE_ABORTED:
            // A Prepare that was skipped did not happen.
            if (step.kind == Step::Kind::prepare) forget(step);
            return true;
        case PGRES_FATAL_ERROR:
            return take_error(step, result.get());
        case PGRES_BAD_RESPONSE:
        case PGRES_NONFATAL_ERROR:
        case PGRES_COPY_OUT:
        case PGRES_COPY_IN:
        case PGRES_COPY_BOTH:
            return false;
    }
    return false;
}

// The last result of a statement, or the only one.
void Lane::take_rows(const Step& step, ResultPointer result) {
    Request& request = *step.request;
    ++request.done;
    if (!step.streams) {
        request.results.push_back(to_rows(std::move(result)));
        return;
    }
    request.rows.set_columns(static_cast<std::size_t>(PQnfields(result.get())));
    if (!request.handed_on) request.results.push_back(request.rows.take());
}

// Only the statement whose results are due can be asked to give its rows one at a time. Where it was skipped because of an
// error this fails, and nothing is lost.
void Lane::ask_for_single_rows() {
    if (!steps_.empty() && steps_.front().streams) (void)PQsetSingleRowMode(connection_.get());
}

bool Lane::take_error(const Step& step, const PGresult* result) {
    if (ends_connection(result)) return false;
    const bool gone = step.number != 0 && statement_is_gone(result);
    if (step.kind == Step::Kind::prepare || gone) forget(step);
    if (step.request == nullptr || step.request->error) return true;
    step.request->error = database_error(to_message(result), step.request->authenticated);
    step.request->statement_is_gone = gone;
    step.request->server_is_read_only = step.request->writes && is_read_only(result) && takes_no_writes(connection_.get());
    return true;
}

void Lane::forget(const Step& step) {
    auto name = statements_.forget(step.shape, step.number);
    if (name && step.kind == Step::Kind::statement) to_deallocate_.push_back(std::move(*name));
}

// Only a request in a block leaves a transaction open at its first Sync: until its closing, or when it failed; and at its
// second when its closing failed. It has its lane for itself, and only then does libpq tell the transaction's state. Until the
// step is popped, breaking up finds the request there.
bool Lane::take_sync() {
    const auto& step = steps_.front();
    const bool in_transaction = step.owner && step.owner->in_block && in_transaction_now();
    if (in_transaction && !may_end(*step.owner)) return false;
    auto request = std::move(steps_.front().owner);
    steps_.pop_front();
    ask_for_single_rows();
    if (in_transaction) return end_transaction(std::move(request));
    if (request) finish(std::move(request));
    return true;
}

bool Lane::may_end(const Request& request) {
    return request.phase == Request::Phase::running || (request.phase == Request::Phase::ending && request.error);
}

bool Lane::in_transaction_now() const {
    const auto status = PQtransactionStatus(connection_.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

namespace {

// What runs before COMMIT; nothing: it must be undone.
std::optional<std::vector<sql::Statement>> closing_of(Request& request) {
    if (request.answered() || request.error || request.closing == nullptr) return std::nullopt;
    try {
        auto closing = (*request.closing)(request.results);
        if (!closing) request.error = std::move(closing).error();
        if (closing && !request.script->rolls_back) return std::move(*closing);
    } catch (const std::exception& e) {
        request.error = Error::of(Fault::internal).with_details(e.what());
    }
    return std::nullopt;
}

}  // namespace

bool Lane::end_transaction(RequestPointer request) {
    const bool again = request->phase == Request::Phase::ending;
    request->phase = again ? Request::Phase::undoing : Request::Phase::ending;
    const auto last = closing_of(*request);
    bool written = true;
    if (last)
        for (const sql::Statement& statement : *last) written = written && send_statement(statement, *request);
    written = written && send_control(last ? "COMMIT" : "ROLLBACK", request.get());
    return send_sync(std::move(request)) && written && flush();
}

void Lane::finish(RequestPointer request) {
    --in_flight_;
    request->on = nullptr;
    if (request->answered()) return;
    if (!request->error) return owner_->answer(*request, std::move(request->results));
    if (request->statement_is_gone && request->attempts == 0) return owner_->again(std::move(request));
    if (request->server_is_read_only) return owner_->read_only(std::move(request));
    owner_->answer(*request, std::move(*request->error));
}

}  // namespace millrace::pg
