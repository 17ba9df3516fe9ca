// Reads the body of an answer as its framing says, piece by piece.
#include <algorithm>
#include <utility>

#include "millrace/core/framing.hpp"
#include "service.hpp"

namespace millrace::services {
namespace {

using upstream::BodyKind;

constexpr std::uint64_t no_limit = std::uint64_t{1} << 62;

Error broken(Failure failure) {
    return Error::of(failure == Failure::timed_out ? Fault::upstream_timed_out : Fault::upstream_failed);
}

class Stream final : public Body {
public:
    Stream(std::unique_ptr<Connection> connection, Pool::Slot slot, Pending pending, const upstream::Head& head,
           Duration patience)
        : slot_(std::move(slot)),
          pending_(std::move(pending)),
          connection_(std::move(connection)),
          kind_(head.body),
          left_(head.length),
          keep_alive_(head.keep_alive),
          patience_(patience),
          chunks_(framing::Limits{}, no_limit) {}

    asio::awaitable<Result<bool>> next(std::string& out) override {
        const std::size_t before = out.size();
        for (;;) {
            auto more = take(out);
            if (!more || !*more || out.size() > before) co_return more;
            const Deadline limit{net::now() + patience_};
            const Connection::More came = co_await connection_->receive(limit);
            if (came.trouble) co_return broken(*came.trouble);
            if (came.ended && kind_ == BodyKind::to_end) co_return false;
            if (came.ended) co_return broken(Failure::lost);
        }
    }

private:
    // Of what is there. False: that was all.
    Result<bool> take(std::string& out) {
        std::string& there = connection_->there();
        if (kind_ == BodyKind::chunked) {
            auto used = chunks_.feed(there, out);
            if (!used) return broken(Failure::garbage);
            there.erase(0, *used);
            if (chunks_.done()) return end();
            return true;
        }
        const auto count =
            kind_ == BodyKind::sized ? static_cast<std::size_t>(std::min<std::uint64_t>(left_, there.size())) : there.size();
        out.append(there, 0, count);
        there.erase(0, count);
        if (kind_ == BodyKind::to_end) return true;
        left_ -= count;
        return left_ == 0 ? end() : true;
    }

    Result<bool> end() {
        if (keep_alive_ && connection_->there().empty()) slot_.pool().keep(std::move(connection_));
        return false;
    }

    Pool::Slot slot_;
    Pending pending_;
    std::unique_ptr<Connection> connection_;
    BodyKind kind_;
    std::uint64_t left_;
    bool keep_alive_;
    Duration patience_;
    framing::ChunkDecoder chunks_;
};

}  // namespace

std::unique_ptr<Body> make_body(std::unique_ptr<Connection> connection, Pool::Slot slot, Pending pending,
                                const upstream::Head& head, Duration patience) {
    if (head.body != BodyKind::none)
        return std::make_unique<Stream>(std::move(connection), std::move(slot), std::move(pending), head, patience);
    if (head.keep_alive && connection->there().empty()) slot.pool().keep(std::move(connection));
    return nullptr;
}

}  // namespace millrace::services
