// Real servers for tests, each private: own directory, own free port, gone with the object.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace support {

[[nodiscard]] std::uint16_t free_port();  // on 127.0.0.1, free a moment ago

// A directory of its own under the system's temporary one, removed with the object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// A child process with its output in a file; killed with the object.
class Process {
public:
    Process() = default;
    ~Process() { kill9(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // `user`: whom to become when we are root (Postgres refuses root); ignored otherwise and when empty.
    void start(const std::vector<std::string>& command, const std::string& log, const std::string& user = {});
    void signal(int number) const;
    void kill9();  // with its children
    int wait();    // for its end; the exit status
    [[nodiscard]] bool running();
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
};

// A cluster of its own with trust authentication; superuser `postgres`. Nothing is synced to disk.
class Postgres {
public:
    explicit Postgres(std::vector<std::string> settings = {});  // "name=value"
    ~Postgres();

    [[nodiscard]] std::string url(const std::string& database = "postgres") const;         // over TCP
    [[nodiscard]] std::string socket_url(const std::string& database = "postgres") const;  // over the unix socket
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] pid_t pid() const { return process_.pid(); }

    void start();    // on the same port; returns when it answers
    void stop();     // fast shutdown
    void restart();  // both
    void kill9();    // the postmaster and every backend

    // Runs SQL in simple protocol and returns the last statement's first cell ("" for none); throws what Postgres says.
    std::string execute(const std::string& sql, const std::string& database = "postgres") const;
    std::string create_database(const std::string& name) const;  // dropped and made anew; its url()

private:
    TemporaryDirectory directory_;
    std::vector<std::string> settings_;
    std::uint16_t port_ = 0;
    Process process_;
};

// One for all tests of this process that neither stop nor configure it.
[[nodiscard]] Postgres& shared_postgres();

class Redis {
public:
    explicit Redis(std::vector<std::string> options = {});  // "--name", "value": more than its port and directory
    ~Redis();

    [[nodiscard]] std::string url() const;         // over TCP
    [[nodiscard]] std::string socket_url() const;  // over the unix socket
    [[nodiscard]] std::uint16_t port() const { return port_; }

    void start();  // on the same port; returns when it answers
    void kill9() { process_.kill9(); }
    void signal(int number) const { process_.signal(number); }

    // One command; its reply as text, a list's items one a line, lists within it on one line. Throws what Redis says.
    std::string execute(const std::vector<std::string>& words) const;

private:
    TemporaryDirectory directory_;
    std::vector<std::string> options_;
    std::uint16_t port_ = 0;
    Process process_;
};

}  // namespace support
