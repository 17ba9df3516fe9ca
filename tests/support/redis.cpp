// A private Redis without persistence, on a unix socket and a free port.
#include <hiredis/hiredis.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "servers.hpp"

namespace support {
namespace {

using namespace std::chrono_literals;

struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
    void operator()(void* reply) const { freeReplyObject(reply); }
};

std::unique_ptr<redisReply, FreeReply> ask(std::uint16_t port, const std::vector<std::string>& words) {
    const std::unique_ptr<redisContext, FreeContext> context(redisConnect("127.0.0.1", port));
    if (!context || context->err != 0) return nullptr;
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    for (const std::string& word : words) {
        texts.push_back(word.data());
        lengths.push_back(word.size());
    }
    void* reply = redisCommandArgv(context.get(), static_cast<int>(words.size()), texts.data(), lengths.data());
    return std::unique_ptr<redisReply, FreeReply>(static_cast<redisReply*>(reply));
}

std::string text_of(const redisReply& reply, char between) {
    if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
    if (reply.type != REDIS_REPLY_ARRAY) return {reply.str, reply.len};
    std::string text;
    for (std::size_t i = 0; i < reply.elements; ++i) {
        if (i > 0) text += between;
        text += text_of(*reply.element[i], ' ');
    }
    return text;
}

}  // namespace

Redis::Redis(std::vector<std::string> options) : options_(std::move(options)) { start(); }
Redis::~Redis() { kill9(); }

// The file is for what the server keeps of its own: a sentinel refuses to run without one.
void Redis::start() {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    const bool first = port_ == 0;
    const std::string file = directory_.path() + "/redis.conf";
    std::ofstream(file, std::ios::app).flush();
    while (std::chrono::steady_clock::now() < give_up) {
        if (!process_.running()) {
            if (first) port_ = free_port();
            std::vector<std::string> command = {"redis-server", file,
                                                "--port",       std::to_string(port_),
                                                "--bind",       "127.0.0.1",
                                                "--unixsocket", directory_.path() + "/redis.sock",
                                                "--save",       "",
                                                "--appendonly", "no",
                                                "--dir",        directory_.path()};
            command.insert(command.end(), options_.begin(), options_.end());
            process_.start(command, directory_.path() + "/redis.log");
        }
        if (ask(port_, {"PING"})) return;
        std::this_thread::sleep_for(10ms);
    }
    throw std::runtime_error("redis-server did not start");
}

std::string Redis::execute(const std::vector<std::string>& words) const {
    const auto reply = ask(port_, words);
    if (!reply) throw std::runtime_error("redis-server did not answer");
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string(reply->str, reply->len));
    return text_of(*reply, '\n');
}

std::string Redis::url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
std::string Redis::socket_url() const { return "unix://" + directory_.path() + "/redis.sock"; }

}  // namespace support
