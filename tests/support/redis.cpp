// A private Redis without persistence, on a unix socket and a free port.
#include <hiredis/hiredis.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "servers.hpp"

namespace support {
namespace {

using namespace std::chrono_literals;

bool answers(std::uint16_t port) {
    const std::unique_ptr<redisContext, decltype(&redisFree)> context(redisConnect("127.0.0.1", port), &redisFree);
    if (!context || context->err != 0) return false;
    const std::unique_ptr<void, decltype(&freeReplyObject)> reply(redisCommand(context.get(), "PING"), &freeReplyObject);
    return reply != nullptr;
}

}  // namespace

Redis::Redis() { start(); }
Redis::~Redis() { kill9(); }

void Redis::start() {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    const bool first = port_ == 0;
    while (std::chrono::steady_clock::now() < give_up) {
        if (!process_.running()) {
            if (first) port_ = free_port();
            process_.start({"redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--unixsocket",
                            directory_.path() + "/redis.sock", "--save", "", "--appendonly", "no", "--dir", directory_.path()},
                           directory_.path() + "/redis.log");
        }
        if (answers(port_)) return;
        std::this_thread::sleep_for(10ms);
    }
    throw std::runtime_error("redis-server did not start");
}

std::string Redis::url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
std::string Redis::socket_url() const { return "unix://" + directory_.path() + "/redis.sock"; }

}  // namespace support
