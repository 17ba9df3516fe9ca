// Puts a request into the pipeline: what has to be prepared, its statements, one Sync.
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "lane.hpp"
#include "millrace/io/net.hpp"

namespace millrace::pg {
namespace {

// On a unix socket this fails and changes nothing: there a write costs little more than its copy.
void cork(int socket, int on) { (void)setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

}  // namespace

// libpq 15 writes at every Sync. Over TCP each write would be a segment and may wake Postgres; corked, the requests of one turn
// of the loop leave together at its end.
void Lane::gather() {
    if (gathering_ || settings_.depth_max == 1) return;
    gathering_ = true;
    cork(PQsocket(connection_.get()), 1);
    asio::post(context_, [self = shared_from_this(), generation = generation_] {
        if (generation != self->generation_) return;
        self->gathering_ = false;
        cork(PQsocket(self->connection_.get()), 0);
    });
}

void Lane::send(RequestPointer request) {
    auto& sending = *request;
    sending.on = this;
    sending.phase = Request::Phase::running;
    sending.sent = net::now();
    if (in_flight_++ == 0) heard_ = sending.sent;
    gather();
    const bool written = send_deallocations() && send_script(sending);
    // Also when it failed: the step is where the request is found when the connection is given up.
    const bool sent = send_sync(std::move(request)) && written && flush();
    if (!sent) break_up(connection_.error());
}

bool Lane::send_script(Request& request) {
    if (request.in_block && !send_control("BEGIN", &request)) return false;
    request.results.reserve(request.script->statements.size());
    for (std::size_t i = 0; i < request.script->statements.size(); ++i) {
        if (!send_statement(request.script->statements[i], request)) return false;
        steps_.back().streams = request.streams && i == request.script->main;
    }
    ask_for_single_rows();  // if it is first
    // With a closing the end waits until it is given.
    if (!request.in_block || request.closing != nullptr) return true;
    return send_control(request.script->rolls_back ? "ROLLBACK" : "COMMIT", &request);
}

bool Lane::send_statement(const sql::Statement& statement, Request& request) {
    values_.clear();
    for (const auto& parameter : statement.parameters) values_.push_back(parameter ? parameter->c_str() : nullptr);
    for (const auto& slot : statement.slots) values_[slot.parameter] = request.values[slot.value].c_str();
    const int count = static_cast<int>(values_.size());
    const Prepared* prepared = nullptr;
    if (!prepare(statement, request, prepared)) return false;
    Step step{Step::Kind::statement, statement.shape, 0, &request, nullptr, false};
    auto* const connection = connection_.get();
    bool sent = false;
    if (prepared != nullptr) {
        step.number = prepared->number;
        sent = PQsendQueryPrepared(connection, prepared->name.c_str(), count, values_.data(), nullptr, nullptr, 0) == 1;
    } else {
        sent = PQsendQueryParams(connection, statement.text.c_str(), count, nullptr, values_.data(), nullptr, nullptr, 0) == 1;
    }
    steps_.push_back(std::move(step));
    return sent;
}

// Right before its first use and not earlier: names in a statement are resolved as the role that the script may have set.
// A second attempt relies on no name: those that share one with a statement that is wrong would miss it again.
bool Lane::prepare(const sql::Statement& statement, Request& request, const Prepared*& prepared) {
    if (!statements_.enabled() || request.attempts > 0) return true;
    prepared = statements_.find(statement);
    if (prepared != nullptr) return true;
    std::optional<std::string> evicted;
    prepared = &statements_.add(statement, evicted);
    if (evicted) to_deallocate_.push_back(std::move(*evicted));
    steps_.push_back({Step::Kind::prepare, statement.shape, prepared->number, &request, nullptr, false});
    return PQsendPrepare(connection_.get(), prepared->name.c_str(), statement.text.c_str(), 0, nullptr) == 1;
}

bool Lane::send_control(const char* sql, Request* request) {
    steps_.push_back({Step::Kind::control, 0, 0, request, nullptr, false});
    return PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
}

bool Lane::send_sync(RequestPointer request) {
    auto* const raw = request.get();
    steps_.push_back({Step::Kind::sync, 0, 0, raw, std::move(request), false});
    return PQpipelineSync(connection_.get()) == 1;
}

// With a Sync of their own: were they part of a request that fails, they would be skipped and the names stay for ever.
bool Lane::send_deallocations() {
    if (to_deallocate_.empty()) return true;
    for (const auto& name : std::exchange(to_deallocate_, {})) {
        const auto sql = "DEALLOCATE " + name;
        if (!send_control(sql.c_str(), nullptr) || !send_sync(nullptr)) return false;
    }
    return true;
}

bool Lane::flush() {
    const int left = PQflush(connection_.get());
    if (left == 1) arm_write();
    return left >= 0;
}

void Lane::arm_write() {
    if (writing_) return;
    writing_ = true;
    auto ready = [self = shared_from_this(), generation = generation_](boost::system::error_code failed) {
        if (failed || self->closed_ || generation != self->generation_) return;
        self->writing_ = false;
        if (!self->flush()) self->break_up(self->connection_.error());
    };
    connection_.socket().async_wait(asio::posix::stream_descriptor::wait_write, std::move(ready));
}

}  // namespace millrace::pg
