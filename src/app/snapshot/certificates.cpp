// Reads the certificates of the two listeners.
#include "files.hpp"
#include "millrace/io/http.hpp"

namespace millrace::app {
namespace {

// Nothing without a certificate; a problem when it cannot be used.
std::shared_ptr<const http::Tls> read_tls(const Source& source, const http::Tls::Files& paths, const std::string& prefix,
                                          std::vector<config::Problem>& problems) {
    const auto problem = [&](const std::string& setting, std::string why) {
        problems.push_back({source.file, "/tls/" + prefix + setting, std::move(why), {}});
        return nullptr;
    };
    if (paths.cert.empty() != paths.key.empty())
        return problem("cert_file", "a certificate needs its " + prefix + "key_file, and a key its certificate");
    if (paths.cert.empty() && !paths.client_ca.empty())
        return problem("client_ca_file", "clients can be asked for a certificate by a listener that has one");
    if (paths.cert.empty()) return nullptr;
    auto tls = http::Tls::read(paths);
    if (!tls) return problem("cert_file", tls.error().message);
    return *std::move(tls);
}

}  // namespace

void read_certificates(const Source& source, Files& files) {
    const config::TlsSettings& tls = files.settings.tls;
    files.certificates.api = read_tls(source, {tls.cert_file, tls.key_file, {}}, "", files.problems);
    files.certificates.admin =
        read_tls(source, {tls.admin_cert_file, tls.admin_key_file, tls.admin_client_ca_file}, "admin_", files.problems);
}

}  // namespace millrace::app
