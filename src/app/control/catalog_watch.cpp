// Compares what a look at Postgres brings with the last one, and passes on what has changed.
#include "catalog_watch.hpp"

#include <boost/asio/post.hpp>

#include "millrace/core/text.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

CatalogWatch::CatalogWatch(boost::asio::io_context& control, std::string url, Duration every,
                           std::function<void(std::string_view)> changed)
    : control_(control), timer_(control), url_(std::move(url)), every_(every), changed_(std::move(changed)) {}

CatalogWatch::~CatalogWatch() { blocking_.join(); }

void CatalogWatch::start() {
    if (every_ > Duration::zero()) wait();
}

void CatalogWatch::stop() {
    stopped_ = true;
    timer_.cancel();
}

void CatalogWatch::wait() {
    timer_.expires_after(every_);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error && !stopped_) poll();
    });
}

// What cannot be looked at now (Postgres is away) is looked at next time.
void CatalogWatch::poll() {
    boost::asio::post(blocking_, [this] {
        auto state = pg::read_state(url_);
        boost::asio::post(control_, [this, state = std::move(state)] {
            if (stopped_) return;
            if (state) observe(*state);
            wait();
        });
    });
}

// A catalog that is read for another reason brings changes too, and whoever compares with it later would not see them.
void CatalogWatch::catalog_read(const catalog::Catalog& catalog) {
    ddl_watched_ = catalog.ddl_watched;
    observe(catalog.state);
}

void CatalogWatch::observe(const catalog::State& now) {
    const catalog::Difference difference = catalog::difference(known_, now, ddl_watched_);
    const bool first = known_.snapshot.empty();
    known_ = now;
    if (first) return;
    if (difference.anything) return changed_(now.snapshot);
    if (!difference.refreshed.empty()) tell(difference.refreshed, now.snapshot);
}

// As an invalidation like any other it reaches every replica, and ends the view's entries alone.
void CatalogWatch::tell(const std::vector<std::string>& tags, std::string snapshot) {
    std::string sql = "select";
    for (const std::string& tag : tags) {
        if (sql.size() > 6) sql += ',';
        sql += " pg_notify('" + std::string(pg::invalidation_channel) + "', pg_current_xact_id()::text || ' ' || " +
               text::quote_literal(tag) + ")";
    }
    boost::asio::post(blocking_, [this, sql = std::move(sql), snapshot = std::move(snapshot)] {
        if (pg::execute(url_, sql)) return;
        boost::asio::post(control_, [this, snapshot] {
            if (!stopped_) changed_(snapshot);
        });
    });
}

}  // namespace millrace::app
