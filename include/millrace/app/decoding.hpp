// The source of invalidations that decodes the database's log: one replica reads it, all hear what it announces.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "millrace/app/worker.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/events.hpp"
#include "millrace/io/pg.hpp"

namespace millrace::app {

// One thread (control). With Redis all replicas hear the channel, whoever announces included: there is one way for what is
// told. Without it the process decodes for itself alone. Purges and changes of the schema come by NOTIFY here too, so what is
// told is of both: docs/decisions/0018.
class Decoding {
public:
    Decoding(boost::asio::io_context& context, const config::Settings& settings, events::Observer& observer,
             pg::Notifications tell);
    ~Decoding();

    [[nodiscard]] pg::Notifications listener();  // the callbacks of the listener beside it

    void start();
    void stop();
    // Whether what is decoded is of the database that the catalog was read from; what is not known of that does not count.
    [[nodiscard]] bool is_of(const Epoch& epoch) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace millrace::app
