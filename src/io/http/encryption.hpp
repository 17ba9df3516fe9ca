// TLS on one connection's socket, which does not block: what cannot be done at once says what to wait for.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <string_view>

#include "millrace/io/http.hpp"

namespace millrace::http {

class Encryption {
public:
    // `socket` outlives it.
    Encryption(const Tls& tls, int socket);
    ~Encryption();
    Encryption(const Encryption&) = delete;
    Encryption& operator=(const Encryption&) = delete;

    // Each leaves would_block in `error` when it has to be tried again, with the same bytes, once the socket can do what
    // waits_to_write() says. A read of nothing without an error is the end.
    void accept(boost::system::error_code& error);
    [[nodiscard]] std::size_t read_some(void* into, std::size_t bytes, boost::system::error_code& error);
    [[nodiscard]] std::size_t write_some(std::string_view bytes, boost::system::error_code& error);
    void shutdown();  // says that nothing follows, if the socket takes it

    [[nodiscard]] bool waits_to_write() const { return waits_to_write_; }
    // Has the client ended its side? What it sent besides stays to be read.
    [[nodiscard]] bool client_has_left();

private:
    struct State;
    [[nodiscard]] boost::system::error_code why(int result);

    std::unique_ptr<State> state_;
    bool waits_to_write_ = false;
};

}  // namespace millrace::http
