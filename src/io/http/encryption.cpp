// OpenSSL's reading and writing as a socket's: bytes or an error, and would_block for what has to wait.
#include "encryption.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <climits>

#include "tls.hpp"

namespace millrace::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

int bounded(std::size_t bytes) { return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX)); }

}  // namespace

struct Encryption::State {
    std::unique_ptr<SSL, Free> ssl;
};

Encryption::Encryption(const Tls& tls, int socket) : state_(std::make_unique<State>()) {
    state_->ssl.reset(SSL_new(context_of(tls)));
    if (state_->ssl && SSL_set_fd(state_->ssl.get(), socket) != 1) state_->ssl.reset();
}

Encryption::~Encryption() = default;

error_code Encryption::why(int result) {
    const int reason = SSL_get_error(state_->ssl.get(), result);
    waits_to_write_ = reason == SSL_ERROR_WANT_WRITE;
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return asio::error::would_block;
    if (reason == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
    return asio::error::connection_aborted;
}

void Encryption::accept(error_code& error) {
    error = asio::error::no_memory;
    if (!state_->ssl) return;
    ERR_clear_error();
    const int result = SSL_accept(state_->ssl.get());
    error = result == 1 ? error_code() : why(result);
}

std::size_t Encryption::read_some(void* into, std::size_t bytes, error_code& error) {
    ERR_clear_error();
    const int result = SSL_read(state_->ssl.get(), into, bounded(bytes));
    error = result > 0 ? error_code() : why(result);
    return static_cast<std::size_t>(std::max(result, 0));
}

std::size_t Encryption::write_some(std::string_view bytes, error_code& error) {
    ERR_clear_error();
    const int result = SSL_write(state_->ssl.get(), bytes.data(), bounded(bytes.size()));
    error = result > 0 ? error_code() : why(result);
    return static_cast<std::size_t>(std::max(result, 0));
}

void Encryption::shutdown() {
    ERR_clear_error();
    if (state_->ssl && SSL_is_init_finished(state_->ssl.get()) == 1) (void)SSL_shutdown(state_->ssl.get());
}

bool Encryption::client_has_left() {
    char byte = 0;
    ERR_clear_error();
    const int result = SSL_peek(state_->ssl.get(), &byte, 1);
    return result <= 0 && why(result) != asio::error::would_block;
}

}  // namespace millrace::http
