// Puts several Redis servers together as an operator would, by their own commands.
#include "redis_topologies.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace support {
namespace {

using namespace std::chrono_literals;

template <class Condition>
void wait_until(Condition condition, const std::string& what) {
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= give_up) throw std::runtime_error(what + " did not come about");
        std::this_thread::sleep_for(20ms);
    }
}

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

void openssl(std::vector<std::string> arguments, const std::string& log) {
    arguments.insert(arguments.begin(), "openssl");
    Process process;
    process.start(arguments, log);
    if (process.wait() != 0) throw std::runtime_error("openssl did not succeed");
}

}  // namespace

Sentinels::Sentinels(const Redis& master, std::size_t count, std::size_t quorum) {
    for (std::size_t i = 0; i < count; ++i) {
        sentinels_.push_back(std::make_unique<Redis>(std::vector<std::string>{"--sentinel"}));
        const Redis& sentinel = *sentinels_.back();
        sentinel.execute({"SENTINEL", "MONITOR", "cache", "127.0.0.1", std::to_string(master.port()), std::to_string(quorum)});
        sentinel.execute({"SENTINEL", "SET", "cache", "down-after-milliseconds", "1000", "failover-timeout", "5000"});
    }
    const auto knows_the_others = [&](const auto& sentinel) {
        const std::string others = sentinel->execute({"SENTINEL", "SENTINELS", "cache"});
        const auto known = others.empty() ? 0 : std::ranges::count(others, '\n') + 1;
        return static_cast<std::size_t>(known) + 1 >= count;
    };
    wait_until([&] { return std::ranges::all_of(sentinels_, knows_the_others); }, "a meeting of the sentinels");
}

std::string Sentinels::url() const {
    std::string url = "redis+sentinel://";
    for (const auto& sentinel : sentinels_) url += (sentinel == sentinels_.front() ? "" : ",") + local(sentinel->port());
    return url + "/cache";
}

void Sentinels::failover() const { sentinels_.front()->execute({"SENTINEL", "FAILOVER", "cache"}); }

std::string Sentinels::execute(const std::vector<std::string>& words) const {
    std::string reply;
    for (const auto& sentinel : sentinels_) reply = sentinel->execute(words);
    return reply;
}

void Sentinels::wait_for_replicas(std::size_t count) const {
    const auto sees_them = [&](const auto& sentinel) {
        const std::string seen = sentinel->execute({"SENTINEL", "REPLICAS", "cache"});
        std::size_t linked = 0;
        for (auto at = seen.find("master-link-status ok"); at != std::string::npos;
             at = seen.find("master-link-status ok", at + 1))
            ++linked;
        return linked >= count;
    };
    wait_until([&] { return std::ranges::all_of(sentinels_, sees_them); }, "a replica that could be promoted");
}

RedisCluster::RedisCluster(std::size_t masters) {
    for (std::size_t i = 0; i < masters; ++i)
        nodes_.push_back(std::make_unique<Redis>(std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port",
                                                                          std::to_string(free_port()), "--cluster-node-timeout",
                                                                          "2000", "--cluster-require-full-coverage", "no"}));
    for (std::size_t i = 0, first = 0; i < masters; ++i) {
        std::size_t next = first;
        while (next < 16'384 && owner_of(static_cast<std::uint16_t>(next)) == i) ++next;
        nodes_[i]->execute({"CLUSTER", "ADDSLOTSRANGE", std::to_string(first), std::to_string(next - 1)});
        nodes_[i]->execute({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
        first = next;
    }
    for (const auto& other : nodes_) {
        if (other == nodes_.front()) continue;
        const std::string bus = other->execute({"CONFIG", "GET", "cluster-port"});
        nodes_[0]->execute({"CLUSTER", "MEET", "127.0.0.1", std::to_string(other->port()), bus.substr(bus.find('\n') + 1)});
    }
    const auto whole = [&](const auto& node) {
        const std::string info = node->execute({"CLUSTER", "INFO"});
        return info.find("cluster_state:ok") != std::string::npos && info.find("cluster_slots_ok:16384") != std::string::npos &&
               info.find("cluster_known_nodes:" + std::to_string(masters)) != std::string::npos;
    };
    wait_until([&] { return std::ranges::all_of(nodes_, whole); }, "a whole cluster");
}

std::string RedisCluster::url() const {
    std::string url = "redis+cluster://";
    for (const auto& node : nodes_) url += (node == nodes_.front() ? "" : ",") + local(node->port());
    return url;
}

std::string RedisCluster::id(std::size_t index) const { return nodes_[index]->execute({"CLUSTER", "MYID"}); }

void RedisCluster::begin_move(std::uint16_t slot, std::size_t from, std::size_t to) {
    nodes_[to]->execute({"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", id(from)});
    nodes_[from]->execute({"CLUSTER", "SETSLOT", std::to_string(slot), "MIGRATING", id(to)});
}

void RedisCluster::move_key(const std::string& key, std::size_t from, std::size_t to) {
    nodes_[from]->execute({"MIGRATE", "127.0.0.1", std::to_string(nodes_[to]->port()), key, "0", "5000"});
}

void RedisCluster::end_move(std::uint16_t slot, std::size_t to) {
    nodes_[to]->execute({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (i != to) nodes_[i]->execute({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
}

Certificates::Certificates() {
    for (const std::string name : {"ca", "other-ca"})
        openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                 "/CN=" + name, "-keyout", file(name + ".key"), "-out", file(name + ".crt")},
                file("openssl.log"));
    sign("server", "IP:127.0.0.1,DNS:cache.test");
    sign("client", "DNS:client.test");
}

void Certificates::sign(const std::string& name, const std::string& names) const {
    openssl({"req",
             "-x509",
             "-newkey",
             "ec",
             "-pkeyopt",
             "ec_paramgen_curve:prime256v1",
             "-nodes",
             "-days",
             "2",
             "-subj",
             "/CN=" + name,
             "-CA",
             file("ca.crt"),
             "-CAkey",
             file("ca.key"),
             "-addext",
             "subjectAltName=" + names,
             "-addext",
             "basicConstraints=critical,CA:FALSE",
             "-keyout",
             file(name + ".key"),
             "-out",
             file(name + ".crt")},
            file("openssl.log"));
}

}  // namespace support
