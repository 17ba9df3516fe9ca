// One exchange with the admin listener, for commands that run beside the process.
#include "ask_admin.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "millrace/core/text.hpp"

namespace millrace::app {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;

constexpr std::size_t answer_bytes_max = 64 * 1024;

std::string request_for(const std::string& token, std::string_view path, std::string_view body) {
    std::string out = body.empty() ? "GET " : "POST ";
    out.append(path).append(" HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n");
    if (!token.empty()) out.append("Authorization: Bearer ").append(token).append("\r\n");
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

// The listener's own certificate is the one that is trusted, and what is shown where clients are asked for theirs: who may read
// its key may speak to it.
ssl::context context_of(const config::TlsSettings& tls) {
    ssl::context context(ssl::context::tls_client);
    boost::system::error_code error;  // a file that cannot be read ends in a handshake that fails
    context.set_verify_mode(ssl::verify_peer);
    context.load_verify_file(tls.admin_cert_file, error);
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context.native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
    context.use_certificate_chain_file(tls.admin_cert_file, error);
    context.use_private_key_file(tls.admin_key_file, ssl::context::pem, error);
    return context;
}

template <class Stream>
void exchange(Stream& stream, const std::string& request, std::string& answer) {
    boost::asio::async_write(stream, boost::asio::buffer(request), [&](boost::system::error_code error, std::size_t) {
        if (!error)
            boost::asio::async_read(stream, boost::asio::dynamic_buffer(answer, answer_bytes_max),
                                    [](boost::system::error_code, std::size_t) {});
    });
}

}  // namespace

AdminAnswer ask_admin(const config::Settings& settings, std::string_view path, std::string_view body) {
    const auto patience = body.empty() ? std::chrono::seconds(3) : std::chrono::seconds(35);  // a purge waits for Postgres
    const config::Listen& admin = settings.admin;
    const bool encrypted = !settings.tls.admin_cert_file.empty();
    boost::asio::io_context context;
    ssl::context tls = encrypted ? context_of(settings.tls) : ssl::context(ssl::context::tls_client);
    ssl::stream<tcp::socket> stream(context, tls);
    tcp::resolver resolver(context);
    std::string answer;
    const std::string request = request_for(settings.auth.admin_token, path, body);
    const std::string address = admin.address == "0.0.0.0" || admin.address == "::" ? "localhost" : admin.address;
    auto shaken = [&](boost::system::error_code error) {
        if (!error) exchange(stream, request, answer);
    };
    auto connected = [&](boost::system::error_code error, const tcp::endpoint&) {
        if (error) return;
        if (encrypted) return stream.async_handshake(ssl::stream_base::client, shaken);
        exchange(stream.next_layer(), request, answer);
    };
    boost::system::error_code unresolved;
    const auto endpoints = resolver.resolve(address, std::to_string(admin.port), unresolved);
    if (unresolved) return {};
    boost::asio::async_connect(stream.next_layer(), endpoints, connected);
    context.run_for(patience);
    return parse(answer);
}

}  // namespace millrace::app
