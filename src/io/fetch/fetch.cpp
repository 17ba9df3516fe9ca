// Fetches one document by HTTP, with Beast.
#include "millrace/io/fetch.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "millrace/core/url.hpp"

namespace millrace::fetch {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

// One exchange: each step begins the next, and the loop ends when there is none, or when time is over.
class Exchange {
public:
    Exchange(const url::Url& url, const Limits& limits) : url_(url), stream_(context_, tls_) {
        parser_.body_limit(limits.bytes_max);
        parser_.header_limit(16 * 1024);
        request_.method(http::verb::get);
        request_.target(url.target.starts_with('/') ? url.target : "/" + url.target);
        request_.set(http::field::host, url.authority);
        request_.set(http::field::accept, "application/json");
        request_.set(http::field::connection, "close");
    }

    Result<std::string> run(Duration patience) {
        resolver_.async_resolve(url_.host, url_.port, [this](error_code error, const tcp::resolver::results_type& found) {
            if (failed(error, "find the host")) return;
            asio::async_connect(stream_.next_layer(), found, [this](error_code e, const tcp::endpoint&) { connected(e); });
        });
        context_.run_for(patience);
        if (done_) return std::move(parser_.get().body());
        return Error::of(Fault::internal, problem_.empty() ? "No answer in time" : problem_);
    }

private:
    bool failed(error_code error, const char* what) {
        if (error) problem_ = std::string("Cannot ") + what + ": " + error.message();
        return static_cast<bool>(error);
    }

    void connected(error_code error) {
        if (failed(error, "connect")) return;
        if (!url_.encrypted) return send(stream_.next_layer());
        error_code prepared;
        tls_.set_default_verify_paths(prepared);
        stream_.set_verify_mode(ssl::verify_peer, prepared);
        stream_.set_verify_callback(ssl::host_name_verification(url_.host), prepared);
        SSL_set_tlsext_host_name(stream_.native_handle(), url_.host.c_str());
        stream_.async_handshake(ssl::stream_base::client, [this](error_code e) {
            if (!failed(e, "agree on TLS")) send(stream_);
        });
    }

    template <class Stream>
    void send(Stream& stream) {
        http::async_write(stream, request_, [this, &stream](error_code error, std::size_t) {
            if (failed(error, "send")) return;
            http::async_read(stream, buffer_, parser_, [this](error_code e, std::size_t) { answered(e); });
        });
    }

    void answered(error_code error) {
        if (failed(error, "read the answer")) return;
        done_ = parser_.get().result() == http::status::ok;
        if (!done_) problem_ = "The answer was " + std::to_string(parser_.get().result_int());
    }

    const url::Url& url_;
    asio::io_context context_;
    ssl::context tls_{ssl::context::tls_client};
    ssl::stream<tcp::socket> stream_;
    tcp::resolver resolver_{context_};
    http::request<http::empty_body> request_;
    http::response_parser<http::string_body> parser_;
    boost::beast::flat_buffer buffer_;
    std::string problem_;
    bool done_ = false;
};

}  // namespace

Result<std::string> get(const std::string& url, const Limits& limits) {
    const auto parsed = url::parse(url);
    if (!parsed) return Error::of(Fault::internal, "The URL is not valid");
    return Exchange(*parsed, limits).run(limits.patience);
}

}  // namespace millrace::fetch
