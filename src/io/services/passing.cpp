// Takes a piece from the client when the service has taken the one before: what waits here is never more than that.
#include "passing.hpp"

#include <algorithm>
#include <utility>

namespace millrace::services {

Deadline Passing::Patience::limit() const { return {std::min(deadline.at, net::now() + of_a_piece)}; }

Passing::Passing(Upload upload, bool chunked) : source_(*upload.rest), chunked_(chunked) {
    if (!upload.first.empty()) hold(upload.first);
}

asio::awaitable<Passing::Sent> Passing::send(Connection& connection, std::string head, Patience patience) {
    Sent out;
    head += before_;
    out.trouble = co_await connection.send(head, piece_, patience.limit());
    while (!out.trouble && more_) {
        out.refused = co_await take_piece(patience.deadline);
        if (connection.answered()) break;
        if (out.refused) co_return out;
        out.trouble = co_await connection.send(before_, piece_, patience.limit());
    }
    out.refused.reset();
    out.whole = !more_ && !out.trouble;
    if (connection.answered()) out.trouble.reset();
    co_return out;
}

asio::awaitable<std::optional<Error>> Passing::take_piece(Deadline deadline) {
    next_.clear();
    auto more = co_await source_.next(next_, deadline);
    if (!more) co_return std::move(more).error();
    more_ = *more;
    hold(next_);
    co_return std::nullopt;
}

void Passing::hold(std::string& piece) {
    ++pieces_;
    std::swap(piece_, piece);
    before_.clear();
    if (chunked_) before_ = upstream::make_chunk(piece_, !more_);
}

}  // namespace millrace::services
