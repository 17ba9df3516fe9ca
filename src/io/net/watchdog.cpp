// One timer for many deadlines: looks at all of them every period and expires those that have passed.
#include <boost/asio/steady_timer.hpp>
#include <list>

#include <millrace/io/net.hpp>

namespace millrace::net {

struct Watchdog::State : std::enable_shared_from_this<Watchdog::State> {
    using List = std::list<Watched*>;

    State(asio::io_context& context, Duration every) : timer(context), period(every) {}

    // Ticks only while something is watched, so an idle process sleeps and a loop without work ends.
    void arm() {
        if (armed || stopped || watched.empty()) return;
        armed = true;
        timer.expires_after(period);
        timer.async_wait([self = shared_from_this()](boost::system::error_code) {
            self->armed = false;
            if (self->stopped) return;
            self->look();
            self->arm();
        });
    }

    // expire() may end any watch, its own too, so the walk's next place is kept where forget() can move it.
    void look() {
        const TimePoint time = now();
        for (next = watched.begin(); next != watched.end();) {
            Watched& one = **next++;
            if (!one.deadline.passed(time)) continue;
            one.deadline = {};
            one.expire();
        }
    }

    void forget(List::iterator place) {
        if (place == next) ++next;
        watched.erase(place);
    }

    asio::steady_timer timer;
    Duration period;
    List watched;
    List::iterator next = watched.end();
    bool armed = false, stopped = false;
};

namespace {

template <class State, class Place>
class Watch final : public Watchdog::Handle {
public:
    Watch(std::shared_ptr<State> state, Place place) : state_(std::move(state)), place_(place) {}
    ~Watch() override { state_->forget(place_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    std::shared_ptr<State> state_;
    Place place_;
};

}  // namespace

Watchdog::Watchdog(asio::io_context& context, Duration period) : state_(std::make_shared<State>(context, period)) {}

Watchdog::~Watchdog() { stop(); }

std::unique_ptr<Watchdog::Handle> Watchdog::watch(Watched& watched) {
    const auto place = state_->watched.insert(state_->watched.begin(), &watched);
    auto handle = std::make_unique<Watch<State, State::List::iterator>>(state_, place);
    state_->arm();
    return handle;
}

void Watchdog::stop() {
    state_->stopped = true;
    state_->timer.cancel();
}

}  // namespace millrace::net
