// More than one Redis: sentinels that watch a master, a cluster; and certificates for encrypted ones.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "servers.hpp"

namespace support {

// Sentinels of the service "cache", whose master is `master`; they call it dead after a second.
class Sentinels {
public:
    Sentinels(const Redis& master, std::size_t count, std::size_t quorum);
    [[nodiscard]] std::string url() const;                             // redis+sentinel://…/cache
    void wait_for_replicas(std::size_t count) const;                   // until each sentinel could promote one
    void failover() const;                                             // promotes a replica though the master lives
    std::string execute(const std::vector<std::string>& words) const;  // at each; the last one's reply
    void kill9(std::size_t index) { sentinels_[index]->kill9(); }

private:
    std::vector<std::unique_ptr<Redis>> sentinels_;
};

// Masters that share the slots evenly; a part goes on when another is gone.
class RedisCluster {
public:
    explicit RedisCluster(std::size_t masters = 3);
    [[nodiscard]] std::string url() const;  // redis+cluster://…
    [[nodiscard]] Redis& node(std::size_t index) { return *nodes_[index]; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] std::size_t owner_of(std::uint16_t slot) const { return slot * nodes_.size() / 16'384; }  // at first

    // What an operator does to move a slot, step by step.
    void begin_move(std::uint16_t slot, std::size_t from, std::size_t to);
    void move_key(const std::string& key, std::size_t from, std::size_t to);
    void end_move(std::uint16_t slot, std::size_t to);

private:
    std::string id(std::size_t index) const;
    std::vector<std::unique_ptr<Redis>> nodes_;
};

// An authority, what it signed for a server at 127.0.0.1 named "cache.test", for a client, and another authority.
class Certificates {
public:
    Certificates();
    [[nodiscard]] std::string file(const std::string& name) const { return directory_.path() + '/' + name; }

private:
    void sign(const std::string& name, const std::string& names) const;
    TemporaryDirectory directory_;
};

}  // namespace support
