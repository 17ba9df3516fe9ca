// Reads certificates and keys, and says how TLS is spoken to clients: HTTP/1.1 by ALPN (RFC 7301).
#include "tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

#include "millrace/io/net.hpp"

namespace millrace::http {
namespace {

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class Context final : public Tls {
public:
    explicit Context(SSL_CTX* made) : context(made) {}
    std::unique_ptr<SSL_CTX, Free> context;
};

Error cannot(const std::string& what, const std::string& file) {
    const unsigned long reason = ERR_get_error();
    const char* text = reason == 0 ? nullptr : ERR_reason_error_string(reason);
    ERR_clear_error();
    return Error::of(Fault::internal, "Cannot " + what + " " + file + (text == nullptr ? "" : std::string(": ") + text));
}

// Without a protocol in common the handshake goes on: not every client that names some insists on them.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned size,
                    void*) {
    constexpr std::string_view ours = "http/1.1";
    for (unsigned at = 0; at < size && at + 1 + offered[at] <= size; at += 1U + offered[at]) {
        if (std::string_view(reinterpret_cast<const char*>(offered) + at + 1, offered[at]) != ours) continue;
        *chosen = offered + at + 1;
        *length = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void set_manners(SSL_CTX* context) {
    net::set_tls_manners(context);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    constexpr std::string_view name = "millrace";
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(name.data()), name.size());
}

}  // namespace

SSL_CTX* context_of(const Tls& tls) { return static_cast<const Context&>(tls).context.get(); }

Result<std::shared_ptr<const Tls>> Tls::read(const Files& files) {
    ERR_clear_error();
    auto made = std::make_shared<Context>(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* const context = made->context.get();
    if (context == nullptr) return cannot("speak TLS for", files.cert);
    set_manners(context);
    if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1) return cannot("use the certificate", files.cert);
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) return cannot("use the key", files.key);
    if (SSL_CTX_check_private_key(context) != 1) return cannot("use with its certificate the key", files.key);
    if (files.client_ca.empty()) return std::shared_ptr<const Tls>(std::move(made));
    if (SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr) != 1)
        return cannot("use the authorities", files.client_ca);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.client_ca.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return std::shared_ptr<const Tls>(std::move(made));
}

}  // namespace millrace::http
