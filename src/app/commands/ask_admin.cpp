// One exchange with the admin listener, for commands that run beside the process.
#include "ask_admin.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "millrace/core/text.hpp"

namespace millrace::app {
namespace {

using boost::asio::ip::tcp;

constexpr std::size_t answer_bytes_max = 64 * 1024;

std::string request_for(std::string_view path, std::string_view body) {
    std::string out = body.empty() ? "GET " : "POST ";
    out.append(path).append(" HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n");
    if (!body.empty())
        out.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
    return out.append("\r\n").append(body);
}

AdminAnswer parse(std::string_view answer) {
    constexpr std::string_view version = "HTTP/1.1 ";
    const auto head_end = answer.find("\r\n\r\n");
    if (!answer.starts_with(version) || head_end == std::string_view::npos) return {};
    const auto status = text::to_int(answer.substr(version.size(), 3));
    return {status ? static_cast<int>(*status) : 0, std::string(answer.substr(head_end + 4))};
}

}  // namespace

AdminAnswer ask_admin(const config::Listen& admin, std::string_view path, std::string_view body) {
    const auto patience = body.empty() ? std::chrono::seconds(3) : std::chrono::seconds(35);  // a purge waits for Postgres
    boost::asio::io_context context;
    tcp::socket socket(context);
    tcp::resolver resolver(context);
    std::string answer;
    const std::string request = request_for(path, body);
    const std::string address = admin.address == "0.0.0.0" || admin.address == "::" ? "localhost" : admin.address;
    auto read = [&](boost::system::error_code error, std::size_t) {
        if (!error)
            boost::asio::async_read(socket, boost::asio::dynamic_buffer(answer, answer_bytes_max),
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
    return parse(answer);
}

}  // namespace millrace::app
