// A server on a free port and a thread of its own, with a handler that shows what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <millrace/core/reply.hpp>
#include <millrace/io/http.hpp>
#include <millrace/io/net.hpp>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "client.hpp"

namespace millrace::http {

using testing_client::Client;

struct Finished {
    std::string id, path, peer;
    int status = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    Duration total{};
};

class Recorder final : public events::Observer {
public:
    void on(const events::Event& event) override {
        const std::lock_guard lock(mutex_);
        if (std::holds_alternative<events::ConnectionOpened>(event)) ++opened;
        if (std::holds_alternative<events::ConnectionClosed>(event)) ++closed;
        if (const auto* e = std::get_if<events::RequestRefused>(&event)) refused.emplace_back(e->code);
        if (const auto* e = std::get_if<events::Fallen>(&event)) fallen.emplace_back(e->what);
        if (const auto* e = std::get_if<events::RequestFinished>(&event))
            finished.push_back({std::string(e->request_id), std::string(e->path), std::string(e->peer), e->status, e->bytes_in,
                                e->bytes_out, e->total});
    }
    // The recorder is read after the server's thread has ended, or through these.
    template <class Read>
    auto read(Read&& read) {
        const std::lock_guard lock(mutex_);
        return read(*this);
    }

    int opened = 0, closed = 0;
    std::vector<std::string> refused, fallen;
    std::vector<Finished> finished;

private:
    std::mutex mutex_;
};

// Answers by path: what a test needs to see.
class Mirror final : public Handler {
public:
    explicit Mirror(asio::io_context& io) : gate(io) {}

    // Bodies below /pieces are read by the handler: "/pieces" all of it, "/pieces/some" one piece, "/pieces/none" nothing.
    [[nodiscard]] BodyRule body_rule(const message::Request& head) const override {
        if (head.path.starts_with("/pieces")) return {1'000'000, true};
        return {head.path == "/large" ? 64 * 1024 * 1024U : 20'000U};
    }
    // Paths of an odd length are answered at once.
    [[nodiscard]] Answer answer(const message::Request& request, Trace&, net::Source* body) override {
        if (request.path.starts_with("/pieces")) return answer_pieces(request, body);
        if (request.path == "/throw-at-once") throw std::runtime_error("a bug");
        const bool special =
            request.path == "/throw" || request.path == "/wait" || request.path == "/parts" || request.path == "/broken";
        if (special || request.path.size() % 2 == 0) return answer_later(request);
        return reply_to(request);
    }

    net::Signal gate;  // opens for all who wait at /wait
    std::atomic<int> waiting = 0;

    std::atomic<int> parts = 0;  // that were asked for

private:
    [[nodiscard]] asio::awaitable<Outgoing> answer_later(const message::Request& request) {
        if (request.path == "/throw") throw std::runtime_error("a bug");
        if (request.path == "/wait") {
            ++waiting;
            const Deadline never;
            co_await gate.wait(never);
        }
        if (request.path == "/parts" || request.path == "/broken") co_return stream(request);
        co_return reply_to(request);
    }
    // "<bytes> <hash>", behind "whole " where there was nothing to be read.
    [[nodiscard]] asio::awaitable<Outgoing> answer_pieces(const message::Request& request, net::Source* body) {
        message::Reply reply;
        std::string all(request.body);
        const Deadline patience{net::now() + std::chrono::seconds(20)};
        for (bool more = body != nullptr && request.path != "/pieces/none"; more;) {
            auto read = co_await body->next(all, patience);
            if (!read) co_return reply::from_error(read.error());
            ++parts;
            more = *read && request.path != "/pieces/some";
        }
        reply.body = (body == nullptr ? "whole " : "") + std::to_string(all.size()) + ' ' + std::to_string(text::hash64(all));
        co_return reply;
    }
    // As many parts as the query says, "0,", "1,", …; then the end, or none.
    class Parts final : public BodySource {
    public:
        Parts(std::atomic<int>& asked, int count, bool breaks) : asked_(asked), left_(count), breaks_(breaks) {}
        [[nodiscard]] asio::awaitable<Part> next(std::string& out) override {
            ++asked_;
            if (left_-- == 0) co_return breaks_ ? Part::broken : Part::end;
            out += std::to_string(number_++) + ',';
            if (left_ > 1000) out.append(10'000, '-');
            co_return Part::more;
        }

    private:
        std::atomic<int>& asked_;
        int left_, number_ = 0;
        bool breaks_;
    };
    Outgoing stream(const message::Request& request) {
        message::Reply reply;
        reply.headers.add("Content-Type", "text/plain");
        const int count = std::stoi(std::string(request.query));
        return Outgoing(std::move(reply), std::make_unique<Parts>(parts, count, request.path == "/broken"));
    }
    static message::Reply reply_to(const message::Request& request) {
        message::Reply reply;
        reply.headers.add("Content-Type", "text/plain");
        if (request.path == "/204") reply.status = 204;
        if (request.path == "/304") reply.status = 304;
        if (request.path == "/close") reply.close = true;
        if (request.path == "/own") {
            reply.headers.add("Content-Length", "1");
            reply.headers.add("transfer-encoding", "chunked");
            reply.headers.add("Connection", "upgrade");
            reply.headers.add("DATE", "now");
            reply.headers.add("X-Request-Id", "mine");
            reply.headers.add("Data", "kept");
        }
        if (request.path == "/bytes") {
            const auto count = static_cast<std::size_t>(std::stoul(std::string(request.query)));
            reply.body = std::make_shared<const std::string>(count, 'b');
        } else if (request.path == "/large") {
            reply.body = std::to_string(request.body.size()) + ' ' + std::to_string(text::hash64(request.body));
        } else {
            reply.body =
                std::string(name(request.method)) + ' ' + std::string(request.target) + ' ' + std::string(request.body);
        }
        return reply;
    }
};

class HttpServer : public testing::Test {
protected:
    void TearDown() override { stop(); }

    // To be called once, after `options` are as the test wants them.
    void start() {
        open();
        thread = std::thread([this] { io.run(); });
    }

    void stop() {
        if (!thread.joinable()) return;
        end();
        work.reset();
        thread.join();
        EXPECT_EQ(recorder.opened, recorder.closed);
        EXPECT_EQ(recorder.fallen, expected_fallen);
    }

    void restart() {
        end();
        on_loop([this] { open(); });
    }

    template <class Call>
    void on_loop(Call call) {
        std::promise<void> done;
        asio::post(io, [&] {
            call();
            done.set_value();
        });
        done.get_future().wait();
    }

    // Asks on the loop until it is so; the socket's other end needs its turns to get there.
    template <class Condition>
    bool eventually(Condition condition) {
        const TimePoint until = net::now() + std::chrono::seconds(10);
        bool holds = false;
        while (!holds && net::now() < until) {
            on_loop([&] { holds = condition(); });
            std::this_thread::yield();
        }
        return holds;
    }
    void open_gate() {
        on_loop([this] { mirror.gate.notify_all(); });
    }
    bool drained(Deadline deadline) {
        std::promise<bool> result;
        asio::co_spawn(io, wait_drained(deadline, result), asio::detached);
        return result.get_future().get();
    }

    Client client() const { return Client(port); }

    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
    ServerOptions options;
    Mirror mirror{io};
    Recorder recorder;
    std::vector<std::string> expected_fallen;
    std::optional<Server> server;
    std::uint16_t port = 0;
    std::thread thread;

private:
    void open() {
        server.emplace(io, options, mirror, recorder);
        auto opened = server->open();
        ASSERT_TRUE(opened.has_value());
        port = *opened;
        server->start();
    }
    void end() {
        on_loop([this] { server->abort(); });
        EXPECT_TRUE(drained({net::now() + std::chrono::seconds(10)}));
        on_loop([this] { server.reset(); });
    }
    asio::awaitable<void> wait_drained(Deadline deadline, std::promise<bool>& result) {
        const bool all = co_await server->drained(deadline);
        result.set_value(all);
    }
};

inline std::string get(const std::string& target, const std::string& lines = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}
inline std::string post(const std::string& target, const std::string& lines, const std::string& body = {}) {
    return "POST " + target + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n" + body;
}

}  // namespace millrace::http
