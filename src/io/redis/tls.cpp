// Reads the certificates: whom we trust, and who we are when the server asks.
#include "tls.hpp"

#include <openssl/ssl.h>

#include <utility>

namespace millrace::redis {
namespace {

namespace ssl = boost::asio::ssl;

Error problem(std::string_view setting, const std::string& why) {
    return Error::of(Fault::internal, "redis." + std::string(setting) + " cannot be used: " + why);
}

}  // namespace

Result<std::shared_ptr<Tls>> tls_of(const config::RedisSettings& settings) {
    if (settings.tls_cert_file.empty() != settings.tls_key_file.empty())
        return problem("tls_cert_file", "a certificate needs its tls_key_file, and a key its certificate");
    auto tls = std::make_shared<Tls>();
    tls->server_name = settings.tls_server_name;
    SSL_CTX_set_min_proto_version(tls->context.native_handle(), TLS1_2_VERSION);
    tls->context.set_verify_mode(ssl::verify_peer);
    boost::system::error_code error;
    if (settings.tls_ca_file.empty()) {
        tls->context.set_default_verify_paths(error);
    } else {
        tls->context.load_verify_file(settings.tls_ca_file, error);
    }
    if (error) return problem("tls_ca_file", error.message());
    if (settings.tls_cert_file.empty()) return tls;
    tls->context.use_certificate_chain_file(settings.tls_cert_file, error);
    if (error) return problem("tls_cert_file", error.message());
    tls->context.use_private_key_file(settings.tls_key_file, ssl::context::pem, error);
    if (error) return problem("tls_key_file", error.message());
    return tls;
}

}  // namespace millrace::redis
