// One connection that carries requests in libpq's pipeline mode: many at a time when it is fast, one when it is slow.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "connection.hpp"
#include "lane_request.hpp"
#include "lane_statements.hpp"
#include "millrace/core/config.hpp"
#include "millrace/core/policy.hpp"
#include "millrace/io/net.hpp"

namespace millrace::pg {

// What a lane tells the pool. It is called on the loop's thread, and only while the lane is not closed.
class LaneOwner {
public:
    virtual ~LaneOwner() = default;
    virtual void connected(Lane& lane) = 0;
    virtual void connect_failed(Lane& lane, const std::string& reason) = 0;
    virtual void broke(Lane& lane, const std::string& reason, std::vector<RequestPointer> unanswered) = 0;
    virtual void answer(Request& request, Answer answer) = 0;  // resumes nobody yet
    virtual void again(RequestPointer request) = 0;            // to be sent once more, it did nothing
    virtual void rows_came(Request& request) = 0;              // it has rows to hand on
    virtual void too_large(Request& request) = 0;              // its rows are too many for a shared lane
    virtual void late(Request& request) = 0;                   // its deadline has passed
    virtual void turned(Lane& lane) = 0;                       // all that had come was taken: there may be room
    virtual void answered() = 0;                               // a result came, whatever it says
    virtual void read_only(RequestPointer request) = 0;        // it did nothing, as the server takes no writes
    virtual void spawn(asio::awaitable<void> task) = 0;
    virtual void cancel(std::shared_ptr<PGcancel> handle, std::shared_ptr<Lane> lane, std::uint64_t generation) = 0;
    virtual double random() = 0;  // uniform in [0, 1)
};

struct LaneSettings {
    events::LaneClass lane = events::LaneClass::fast;
    std::size_t depth_max = 1;
    config::DatabaseSettings database;
};

class Lane : public std::enable_shared_from_this<Lane> {
public:
    Lane(asio::io_context& context, LaneSettings settings, LaneOwner& owner);

    void start();
    void hurry() { hurried_.notify_all(); }  // the server is there: a lane that waits to connect again tries at once
    std::vector<RequestPointer> close();     // for good; what was underway

    [[nodiscard]] events::LaneClass lane() const { return settings_.lane; }
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] bool has_room() const { return connected_ && !cancelling_ && !retiring_ && in_flight_ < settings_.depth_max; }
    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
    [[nodiscard]] bool stalled() const { return stalled_; }
    [[nodiscard]] bool awaits_results() const { return connected_ && in_flight_ > 0 && !held_; }
    [[nodiscard]] int socket() const;
    void catch_up();  // takes what has come; needs awaits_results()

    void send(RequestPointer request);  // needs has_room()
    void resume();                      // what stopped reading because rows wait was taken or given up
    void cancel();                      // what runs now; only where one request runs at a time
    void cancel_was_sent(std::uint64_t generation);
    void retire();             // takes nothing more, and connects anew when what is underway has ended
    void tick(TimePoint now);  // looks for deadlines that have passed and for a peer that is silent

private:
    struct Step {
        enum class Kind : std::uint8_t { control, prepare, statement, sync };
        Kind kind = Kind::control;
        std::uint64_t shape = 0, number = 0;  // of the prepared statement; number 0: none
        Request* request = nullptr;           // nothing for work of the lane's own
        RequestPointer owner;                 // of a request's sync
        bool ended = false;                   // of a sync: its error has been taken
        bool streams = false;                 // its rows come one at a time
    };

    // Life (lane.cpp).
    asio::awaitable<void> connect(Duration pause);
    asio::awaitable<void> rest(Duration pause);
    void become_connected();
    void break_up(const std::string& reason);
    std::vector<RequestPointer> reset();
    bool leave_if_retired();

    // Sending (lane_send.cpp).
    void gather();
    [[nodiscard]] bool send_script(Request& request);
    [[nodiscard]] bool send_statement(const sql::Statement& statement, Request& request);
    [[nodiscard]] bool prepare(const sql::Statement& statement, Request& request, const Prepared*& prepared);
    [[nodiscard]] bool send_control(const char* sql, Request* request);
    [[nodiscard]] bool send_sync(RequestPointer request);
    [[nodiscard]] bool send_deallocations();
    [[nodiscard]] bool flush();
    void arm_write();

    // Receiving (lane_receive.cpp).
    void arm_read();
    void on_readable();
    void go_on();
    void hold_or_read();
    [[nodiscard]] bool is_too_large();
    void give_up_too_large();
    [[nodiscard]] bool take_all();
    [[nodiscard]] static bool is_full(const Step& step) { return step.request != nullptr && step.request->full(); }
    [[nodiscard]] bool take(ResultPointer result);
    void take_rows(const Step& step, ResultPointer result);
    void ask_for_single_rows();
    [[nodiscard]] bool take_error(const Step& step, const PGresult* result);
    void forget(const Step& step);
    [[nodiscard]] bool take_sync();
    [[nodiscard]] static bool may_end(const Request& request);
    [[nodiscard]] bool in_transaction_now() const;
    [[nodiscard]] bool end_transaction(RequestPointer request);
    void finish(RequestPointer request);
    void settle_cancel();

    asio::io_context& context_;
    const LaneSettings settings_;
    LaneOwner* owner_;
    Connection connection_;
    net::Signal hurried_;
    policy::Backoff backoff_;
    std::uint64_t generation_ = 0;  // of the connection: callbacks of an earlier one are ignored
    bool closed_ = false, connected_ = false, writing_ = false, stalled_ = false, gathering_ = false, retiring_ = false;

    std::deque<Step> steps_;  // what results are due, in order
    std::size_t in_flight_ = 0;
    std::size_t taken_ = 0;      // results, ever
    unsigned reads_of_one_ = 0;  // reads of the socket since a result was last complete
    bool held_ = false;          // nothing is read: rows wait to be taken
    bool waits_ = false;         // for the socket to become readable
    TimePoint heard_;            // when a result last came, or the first of those in flight was sent
    Statements statements_;
    std::vector<std::string> to_deallocate_;
    std::vector<const char*> values_;  // of the statement that is being sent

    bool cancelling_ = false, cancel_sent_ = false;
    TimePoint cancel_until_;
};

}  // namespace millrace::pg
