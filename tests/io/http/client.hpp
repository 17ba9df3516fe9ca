// A client that sends exactly the bytes it is told to and reads replies as strictly as it can.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <millrace/core/text.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::http::testing_client {

struct Answer {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

class Client {
public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{10, 0};
        const int yes = 1;
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~Client() { close(); }
    Client(Client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_), buffer_(std::move(other.buffer_)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] bool connected() const { return connected_; }
    void close() {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }
    void finish_sending() const { ::shutdown(socket_, SHUT_WR); }
    void receive_little() const {
        const int bytes = 32 * 1024;
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }

    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void send_byte_by_byte(std::string_view bytes) const {
        for (char c : bytes) ASSERT_TRUE(send(std::string_view(&c, 1)));
    }

    // One answer; nothing when the connection ended before it was whole.
    std::optional<Answer> read(bool to_head = false) {
        std::size_t end = 0;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
            if (!receive()) return std::nullopt;
        Answer answer = parse(std::string_view(buffer_).substr(0, end + 2));
        buffer_.erase(0, end + 4);
        const bool bodiless = to_head || answer.status == 204 || answer.status == 304 || answer.status == 100;
        const std::size_t length = bodiless ? 0 : static_cast<std::size_t>(std::stoul(answer.headers.at("content-length")));
        while (buffer_.size() < length)
            if (!receive()) return std::nullopt;
        answer.body = buffer_.substr(0, length);
        buffer_.erase(0, length);
        return answer;
    }
    std::optional<Answer> ask(std::string_view bytes, bool to_head = false) {
        send(bytes);
        return read(to_head);
    }

    // What has come, or what comes next; nothing when the connection has ended.
    std::optional<std::string> receive_some() {
        if (buffer_.empty() && !receive()) return std::nullopt;
        return std::exchange(buffer_, {});
    }
    std::string receive_until(std::string_view end) {
        while (!buffer_.ends_with(end))
            if (!receive()) break;
        return std::exchange(buffer_, {});
    }

    // True when the server ended the connection properly and sent nothing more.
    bool ended() {
        if (!buffer_.empty()) return false;
        char byte = 0;
        return ::recv(socket_, &byte, 1, 0) == 0;
    }
    // True when it ended in any way, a reset too.
    bool gone() {
        while (receive()) {
        }
        return errno != EAGAIN;
    }
    [[nodiscard]] std::size_t receives() const { return receives_; }

private:
    bool receive() {
        char bytes[65536];
        errno = 0;
        const ssize_t received = ::recv(socket_, bytes, sizeof bytes, 0);
        if (received <= 0) return false;
        ++receives_;
        buffer_.append(bytes, static_cast<std::size_t>(received));
        return true;
    }

    static Answer parse(std::string_view head) {
        Answer answer;
        EXPECT_TRUE(head.starts_with("HTTP/1.1 ")) << head;
        answer.status = std::stoi(std::string(head.substr(9, 3)));
        head.remove_prefix(head.find("\r\n") + 2);
        while (!head.empty()) {
            const auto end = head.find("\r\n"), colon = head.find(": ");
            std::string name = text::lower(head.substr(0, colon));
            EXPECT_FALSE(answer.headers.contains(name)) << name << " twice";
            answer.headers[std::move(name)] = head.substr(colon + 2, end - colon - 2);
            head.remove_prefix(end + 2);
        }
        return answer;
    }

    int socket_;
    bool connected_ = false;
    std::string buffer_;
    std::size_t receives_ = 0;
};

}  // namespace millrace::http::testing_client
