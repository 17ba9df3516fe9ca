// A private Postgres cluster: initdb, start on a free port, stop, and a blocking way to run SQL.
#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "servers.hpp"

namespace support {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string binary(const std::string& name) {
    fs::path best;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
        auto candidate = entry.path() / "bin" / name;
        if (fs::exists(candidate) && candidate > best) best = candidate;
    }
    return best.empty() ? name : best.string();
}

std::string content(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void give_to_postgres(const std::string& path) {
    if (::geteuid() != 0) return;
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr || ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
        throw std::runtime_error("cannot give " + path + " to the user postgres");
    }
}

}  // namespace

Postgres::Postgres(std::vector<std::string> settings) : settings_(std::move(settings)) {
    give_to_postgres(directory_.path());
    const std::string log = directory_.path() + "/initdb.log";
    Process initdb;
    initdb.start({binary("initdb"), "-D", directory_.path() + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "-N"},
                 log, "postgres");
    if (initdb.wait() != 0) throw std::runtime_error("initdb failed: " + content(log));
    start();
}

Postgres::~Postgres() { kill9(); }

void Postgres::start() {
    const std::string log = directory_.path() + "/postgres.log";
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    const bool first = port_ == 0;
    while (std::chrono::steady_clock::now() < give_up) {
        if (!process_.running()) {
            if (first) port_ = free_port();
            std::vector<std::string> command = {
                binary("postgres"), "-D", directory_.path() + "/data", "-k", directory_.path(), "-h",
                "127.0.0.1",        "-p", std::to_string(port_),       "-F"};
            for (const auto& setting : settings_) command.insert(command.end(), {"-c", setting});
            process_.start(command, log, "postgres");
        }
        if (PQping(url().c_str()) == PQPING_OK) return;
        std::this_thread::sleep_for(20ms);
    }
    throw std::runtime_error("Postgres did not start: " + content(log));
}

void Postgres::stop() {
    process_.signal(SIGINT);
    process_.wait();
}

void Postgres::restart() {
    stop();
    start();
}

void Postgres::kill9() { process_.kill9(); }

std::string Postgres::url(const std::string& database) const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string Postgres::socket_url(const std::string& database) const {
    return "postgresql://postgres@/" + database + "?host=" + directory_.path() + "&port=" + std::to_string(port_);
}

std::string Postgres::execute(const std::string& sql, const std::string& database) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url(database).c_str()), &PQfinish);
    const auto ignore = [](void*, const PGresult*) {};
    PQsetNoticeReceiver(connection.get(), ignore, nullptr);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    return PQntuples(result.get()) > 0 && PQnfields(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string Postgres::create_database(const std::string& name) const {
    (void)execute("drop database if exists \"" + name + "\" with (force)");
    (void)execute("create database \"" + name + "\"");
    return url(name);
}

Postgres& shared_postgres() {
    static Postgres postgres;
    return postgres;
}

}  // namespace support
