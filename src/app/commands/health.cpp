// `millrace health`: is the process on this machine ready? For container health checks, which have no curl.
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <iostream>
#include <string>

#include "millrace/app/commands.hpp"

namespace millrace::app {
namespace {

using boost::asio::ip::tcp;

constexpr auto patience = std::chrono::seconds(3);

std::string ask(const config::Listen& admin) {
    boost::asio::io_context context;
    tcp::socket socket(context);
    tcp::resolver resolver(context);
    std::string answer;
    const std::string request = "GET /readyz HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n";
    const std::string address = admin.address == "0.0.0.0" || admin.address == "::" ? "localhost" : admin.address;
    auto read = [&](boost::system::error_code error, std::size_t) {
        if (!error)
            boost::asio::async_read(socket, boost::asio::dynamic_buffer(answer, 64 * 1024),
                                    [](boost::system::error_code, std::size_t) {});
    };
    auto write = [&](boost::system::error_code error, const tcp::endpoint&) {
        if (!error) boost::asio::async_write(socket, boost::asio::buffer(request), read);
    };
    boost::system::error_code unresolved;
    const auto endpoints = resolver.resolve(address, std::to_string(admin.port), unresolved);
    if (unresolved) return {};
    boost::asio::async_connect(socket, endpoints, write);
    context.run_for(patience);
    return answer;
}

}  // namespace

int health(const CommandLine& line) {
    const Files files = read_files(line.source);
    const std::string answer = ask(files.settings.admin);
    const bool ready = answer.starts_with("HTTP/1.1 200");
    const auto body = answer.find("\r\n\r\n");
    std::cout << (body == std::string::npos ? "no answer\n" : answer.substr(body + 4));
    return ready ? 0 : 1;
}

}  // namespace millrace::app
