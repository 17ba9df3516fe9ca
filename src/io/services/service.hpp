// One service: its addresses, the connections to each, and what is known of how they do.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "connection.hpp"
#include "millrace/core/policy.hpp"

namespace millrace::services {

// The connections to one address: as many as may be, and a bounded queue of those who wait for one.
class Pool : public std::enable_shared_from_this<Pool> {
public:
    Pool(asio::io_context& context, url::Url address, std::uint64_t connections_max, std::shared_ptr<const Report> report);

    // The right to have one connection.
    class Slot {
    public:
        Slot() = default;
        explicit Slot(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
        Slot(Slot&& other) noexcept : pool_(std::move(other.pool_)) {}
        Slot& operator=(Slot&& other) noexcept {
            std::swap(pool_, other.pool_);
            return *this;
        }
        ~Slot() {
            if (pool_) pool_->release();
        }
        explicit operator bool() const { return pool_ != nullptr; }
        [[nodiscard]] Pool& pool() const { return *pool_; }

    private:
        std::shared_ptr<Pool> pool_;
    };
    [[nodiscard]] bool full() const { return used_ >= connections_max_; }
    [[nodiscard]] asio::awaitable<Slot> acquire(Deadline deadline);  // nothing: too many wait, or it took too long
    [[nodiscard]] std::unique_ptr<Connection> take_idle();           // one that can be used, if there is one
    void keep(std::unique_ptr<Connection> connection);
    void retire();  // keeps none from now on
    // Counts one that was opened, or tells why it was not, when that is news.
    void opened(Connection& connection);
    void not_opened(const std::string& why);

    const url::Url address;

private:
    struct Waiter {
        explicit Waiter(asio::io_context& context) : woken(context) {}
        net::Signal woken;
        bool granted = false;
    };
    struct Waiting;
    void release();

    asio::io_context& context_;
    const std::uint64_t connections_max_;
    const std::shared_ptr<const Report> report_;
    std::string unreachable_;  // why it is; empty: it is not, as far as is known
    std::uint64_t used_ = 0;
    std::deque<Waiter*> waiters_;
    std::vector<std::unique_ptr<Connection>> idle_;
    bool retired_ = false;
};

struct Service {
    Service(asio::io_context& context, const routes::UpstreamPolicy& how, const config::LimitSettings& limits,
            std::shared_ptr<const Report> to);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    void report_up();  // how many addresses are, if that has changed
    void retire();     // it is asked nothing any more

    const routes::UpstreamPolicy policy;
    const std::shared_ptr<const Report> report;
    std::vector<std::shared_ptr<Pool>> pools;  // one for each address
    upstream::Balancer balancer;
    policy::RetryBudget budget;
    bool retired = false;

private:
    int up_ = 0;  // as it was told
};

// One request of an address, until its answer has ended.
class Pending {
public:
    Pending(std::shared_ptr<Service> service, std::size_t address) : service_(std::move(service)), address_(address) {
        service_->balancer.began(address_);
    }
    Pending(Pending&& other) noexcept : service_(std::move(other.service_)), address_(other.address_) {}
    Pending& operator=(Pending&&) = delete;
    ~Pending() {
        if (service_) service_->balancer.ended(address_);
    }

private:
    std::shared_ptr<Service> service_;
    std::size_t address_;
};

// The body of an answer on its connection, which is kept when all of it was read.
[[nodiscard]] std::unique_ptr<Body> make_body(std::unique_ptr<Connection> connection, Pool::Slot slot, Pending pending,
                                              const upstream::Head& head, Duration patience);

}  // namespace millrace::services
