// Takes a piece from the client when the service has taken the one before: what waits here is never more than that.
#include "passing.hpp"

#include <algorithm>
#include <utility>

namespace millrace::services {

Passing::Passing(Upload upload, bool chunked)
    : source_(*upload.rest), bytes_per_s_min_(upload.bytes_per_s_min), chunked_(chunked) {
    if (!upload.first.empty()) hold(upload.first);
}

Deadline Passing::moved(Deadline deadline) const { return upstream::upload_deadline(deadline, taken_, bytes_per_s_min_); }

Deadline Passing::limit(const Patience& patience) const {
    return {std::min(moved(patience.deadline).at, net::now() + patience.of_a_piece)};
}

asio::awaitable<Passing::Sent> Passing::send(Connection& connection, std::string head, Patience patience) {
    Sent out;
    head += before_;
    out.trouble = co_await connection.send(head, piece_, limit(patience));
    while (!out.trouble && more_) {
        out.refused = co_await take_piece(patience.deadline);
        if (connection.answered()) break;
        if (out.refused) co_return out;
        out.trouble = co_await connection.send(before_, piece_, limit(patience));
    }
    out.refused.reset();
    out.whole = !more_ && !out.trouble;
    if (connection.answered()) out.trouble.reset();
    co_return out;
}

asio::awaitable<std::optional<Error>> Passing::take_piece(Deadline deadline) {
    next_.clear();
    auto more = co_await source_.next(next_, moved(deadline));
    if (!more) co_return std::move(more).error();
    more_ = *more;
    hold(next_);
    co_return std::nullopt;
}

void Passing::hold(std::string& piece) {
    ++pieces_;
    taken_ += piece.size();
    std::swap(piece_, piece);
    before_.clear();
    if (chunked_) before_ = upstream::make_chunk(piece_, !more_);
}

}  // namespace millrace::services
