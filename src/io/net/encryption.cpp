// OpenSSL's reading and writing as a socket's: bytes or an error, and would_block for what has to wait.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <climits>

#include "millrace/io/net.hpp"

namespace millrace::net {
namespace {

using boost::system::error_code;

struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

int bounded(std::size_t bytes) { return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX)); }

}  // namespace

// RFC 9325's recommendations.
void set_tls_manners(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    // Whoever writes sends what there is, and more may have come behind it by the time that he tries again. An idle connection
    // keeps little.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

struct Encryption::State {
    std::unique_ptr<SSL, Free> ssl;
    std::string trouble;
};

Encryption::Encryption(SSL_CTX* context, int socket) : state_(std::make_unique<State>()) {
    state_->ssl.reset(SSL_new(context));
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

// The indication names hosts, never addresses (RFC 6066 §3).
bool Encryption::expect(const std::string& name) {
    if (!state_->ssl) return false;
    SSL* const ssl = state_->ssl.get();
    error_code no_address;
    asio::ip::make_address(name, no_address);
    if (!no_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

void Encryption::connect(error_code& error) {
    error = asio::error::no_memory;
    if (!state_->ssl) return;
    ERR_clear_error();
    const int result = SSL_connect(state_->ssl.get());
    error = result == 1 ? error_code() : why(result);
    if (error && error != asio::error::would_block) note_trouble();
}

// The thread's queue of errors holds those of this very call.
void Encryption::note_trouble() {
    const long verdict = SSL_get_verify_result(state_->ssl.get());
    const char* reason =
        verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : ERR_reason_error_string(ERR_peek_error());
    state_->trouble = reason != nullptr ? reason : "the connection was closed";
}

const std::string& Encryption::trouble() const { return state_->trouble; }

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

error_code Encryption::peek() {
    char byte = 0;
    ERR_clear_error();
    const int result = SSL_peek(state_->ssl.get(), &byte, 1);
    return result > 0 ? error_code() : why(result);
}

}  // namespace millrace::net
