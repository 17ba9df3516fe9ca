// Reads whom services must be vouched for by.
#include "trust.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <fstream>
#include <sstream>

#include "millrace/core/text.hpp"
#include "millrace/io/net.hpp"
#include "millrace/io/services.hpp"

namespace millrace::services {
namespace {

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class Context final : public routes::Authorities {
public:
    explicit Context(SSL_CTX* made) : context(made) {}
    std::unique_ptr<SSL_CTX, Free> context;
};

Error cannot_use(const std::string& what) {
    const unsigned long reason = ERR_peek_error();
    const char* text = reason == 0 ? nullptr : ERR_reason_error_string(reason);
    ERR_clear_error();
    return Error::of(Fault::internal, "cannot use " + what + (text == nullptr ? "" : std::string(": ") + text));
}

std::uint64_t fingerprint_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text::hash64(text.str());
}

}  // namespace

SSL_CTX* context_of(const routes::Authorities& authorities) { return static_cast<const Context&>(authorities).context.get(); }

Result<std::shared_ptr<const routes::Authorities>> read_authorities(const std::string& ca_file) {
    constexpr std::array<unsigned char, 9> http_1_1 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};  // RFC 7301
    ERR_clear_error();
    auto made = std::make_shared<Context>(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const context = made->context.get();
    if (context == nullptr) return cannot_use("TLS");
    net::set_tls_manners(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_alpn_protos(context, http_1_1.data(), http_1_1.size());
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1) return cannot_use("the system's authorities");
    } else {
        if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1)
            return cannot_use("the authorities " + ca_file);
        made->fingerprint = fingerprint_of(ca_file);
    }
    return std::shared_ptr<const routes::Authorities>(std::move(made));
}

}  // namespace millrace::services
