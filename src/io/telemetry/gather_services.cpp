// Merges what the threads counted of services.
#include <algorithm>

#include "gather.hpp"

namespace millrace::telemetry {
namespace {

const ServiceCounters* service_of(const Counters& counters, std::size_t route) {
    const RouteCounters* of_route = counters.routes[route].load(std::memory_order_acquire);
    return of_route == nullptr ? nullptr : of_route->service.load(std::memory_order_acquire);
}

// What the threads have counted of one service.
struct Service {
    const Name& name;
    std::size_t route;
    std::vector<const ServiceCounters*> threads;

    [[nodiscard]] double sum(Gauge ServiceCounters::*member) const {
        std::int64_t sum = 0;
        for (const ServiceCounters* each : threads) sum += (each->*member).get();
        return static_cast<double>(sum);
    }
};

void for_each_service(const Source& source, const std::function<void(const Service&)>& visit) {
    for_each_name(source.names.routes, [&](std::size_t route, const Name& name) {
        Service service{name, route, {}};
        for (const Counters* counters : source.threads)
            if (const ServiceCounters* of_thread = service_of(*counters, route)) service.threads.push_back(of_thread);
        if (!service.threads.empty()) visit(service);
    });
}

}  // namespace

void gather_service_results(const Source& source, Samples& samples) {
    for_each_service(source, [&](const Service& service) {
        for (std::size_t result = 0; result < service_results.size(); ++result) {
            std::uint64_t count = 0;
            for (const ServiceCounters* each : service.threads) count += each->asked[result].get();
            add_counter(samples, static_cast<double>(count),
                        {{"version", service.name.first}, {"route", service.name.second}, {"result", service_results[result]}});
        }
    });
}

void gather_service_retries(const Source& source, Samples& samples) {
    for_each_service(source, [&](const Service& service) {
        std::uint64_t count = 0;
        for (const ServiceCounters* each : service.threads) count += each->retries.get();
        add_counter(samples, static_cast<double>(count), {{"version", service.name.first}, {"route", service.name.second}});
    });
}

void gather_service_durations(const Source& source, Samples& samples) {
    for_each_service(source, [&](const Service& service) {
        const auto pick = [&](const Counters& counters) -> const Histogram* {
            const ServiceCounters* of_thread = service_of(counters, service.route);
            return of_thread == nullptr ? nullptr : &of_thread->durations;
        };
        add_histogram(samples, source, pick, {{"version", service.name.first}, {"route", service.name.second}});
    });
}

void gather_service_connections(const Source& source, Samples& samples) {
    for_each_service(source, [&](const Service& service) {
        const auto add = [&](std::string_view state, Gauge ServiceCounters::*member) {
            add_gauge(samples, service.sum(member),
                      {{"version", service.name.first}, {"route", service.name.second}, {"state", state}});
        };
        add("open", &ServiceCounters::open);
        add("used", &ServiceCounters::used);
    });
}

void gather_service_queues(const Source& source, Samples& samples) {
    for_each_service(source, [&](const Service& service) {
        add_gauge(samples, service.sum(&ServiceCounters::waiting),
                  {{"version", service.name.first}, {"route", service.name.second}});
    });
}

// Each thread finds out for itself which addresses are well, and all have the same ones. A service that is served no more has
// none, and is left out.
void gather_service_addresses(const Source& source, Samples& samples) {
    for_each_service(source, [&](const Service& service) {
        std::int64_t known = 0, up = 0;
        for (const ServiceCounters* each : service.threads) {
            const std::int64_t of_thread = each->addresses.get();
            if (of_thread == 0) continue;
            up = known == 0 ? each->up.get() : std::min(up, each->up.get());
            known = std::max(known, of_thread);
        }
        if (known == 0) return;
        const auto add = [&](std::string_view state, std::int64_t count) {
            add_gauge(samples, static_cast<double>(count),
                      {{"version", service.name.first}, {"route", service.name.second}, {"state", state}});
        };
        add("known", known);
        add("up", up);
    });
}

}  // namespace millrace::telemetry
