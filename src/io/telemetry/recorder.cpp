// Counts events for one thread, and decides which requests get a line.
#include "recorder.hpp"

#include <chrono>

#include "lines.hpp"

namespace millrace::telemetry {

using namespace events;

Counters::Counters(const Names& names)
    : routes(names.routes.max() + 1),
      refused(names.refused.max() + 1),
      errors(names.errors.max() + 1),
      sources(names.sources.max() + 1),
      reloads(names.reloads.max() + 1),
      purges(names.purges.max() + 1) {}

Recorder::Recorder(Names& names, Log& log)
    : log_(log),
      counters_(names),
      routes_(names.routes),
      refused_(names.refused),
      errors_(names.errors),
      sources_(names.sources),
      reloads_(names.reloads),
      purges_(names.purges) {}

struct Recorder::Count {
    Recorder& self;
    Counters& to = self.counters_;

    void operator()(const RequestFinished& e) const {
        RouteCounters& route = self.route(e.version, e.route);
        self.duration(route, e.method, e.status).observe(e.total);
        if (e.cache != CacheResult::none) route.cache[number(e.cache)][number(e.cache_reason)].add();
        to.bytes_in.add(e.bytes_in);
        to.bytes_out.add(e.bytes_out);
        if (!e.error_code.empty()) to.errors[self.errors_.index_of(e.error_code)].add();
    }
    void operator()(const ConnectionOpened&) const { to.connections_opened.add(); }
    void operator()(const ConnectionClosed&) const { to.connections_closed.add(); }
    void operator()(const RequestRefused& e) const { to.refused[self.refused_.index_of(e.code)].add(); }
    void operator()(const LaneWaited& e) const { to.lanes[number(e.lane)].waits.observe(e.waited); }
    void operator()(const StatementFinished& e) const {
        LaneCounters& lane = to.lanes[number(e.lane)];
        lane.statements.observe(e.took);
        if (e.failed) lane.failures.add();
    }
    void operator()(const LaneGauge& e) const {
        LaneCounters& lane = to.lanes[number(e.lane)];
        lane.connected.set(e.connected);
        lane.busy.set(e.busy);
        lane.queued.set(e.queued);
        lane.limit.set(e.limit);
    }
    void operator()(const LaneRefused& e) const { to.lanes[number(e.lane)].refused[number(e.priority)].add(); }
    void operator()(const BackendUp& e) const { to.backend_up[number(e.backend)].set(e.up ? 1 : 0); }
    void operator()(const BreakerChanged& e) const { to.breakers[number(e.backend)][e.open ? 1 : 0].add(); }
    void operator()(const StandbyRead& e) const { to.standby_reads[number(e.result)].add(); }
    void operator()(const CacheSize& e) const {
        to.cache_entries.set(static_cast<std::int64_t>(e.entries));
        to.cache_bytes.set(static_cast<std::int64_t>(e.bytes));
    }
    void operator()(const CacheEvicted& e) const { to.evicted.add(e.entries); }
    void operator()(const CacheFilled& e) const {
        to.filled.add();
        to.filled_bytes.add(e.bytes);
    }
    void operator()(const CacheLease& e) const {
        to.leases[number(e.outcome)].add();
        if (e.outcome != LeaseOutcome::got) to.lease_waits.observe(e.waited);
    }
    void operator()(const CacheWaited& e) const {
        to.waits[e.served ? 1 : 0].add();
        to.fill_waits.observe(e.waited);
    }
    void operator()(const CacheUnkept&) const { to.unkept.add(); }
    void operator()(const CacheRefreshed& e) const { to.refreshes[e.early ? 1 : 0][e.ok ? 1 : 0].add(); }
    void operator()(const CachePurged& e) const { to.purges[self.purges_.index_of(e.scope, e.hard ? "hard" : "soft")].add(); }
    void operator()(const CacheChecked& e) const { to.checks[number(e.outcome)].add(); }
    void operator()(const UnfencedFor& e) const { to.unfenced_ns.add(static_cast<std::uint64_t>(e.time.count())); }
    void operator()(const RedisCall& e) const {
        (e.ok ? to.redis_ok : to.redis_failed).add();
        to.redis_calls.observe(e.took);
    }
    void operator()(const ApiKeyLookup& e) const { to.key_lookups[number(e.outcome)].add(); }
    void operator()(const LimitAsked& e) const { to.limit_asks[e.ok ? 1 : 0].add(); }
    void operator()(const LimitRefused& e) const { to.limit_refusals[e.quota ? 1 : 0].add(); }
    void operator()(const ServiceAsked& e) const {
        ServiceCounters& service = self.service(e.version, e.route);
        service.asked[number(e.result)].add();
        if (e.again) service.retries.add();
        service.durations.observe(e.took);
    }
    void operator()(const ServiceChanged& e) const {
        ServiceCounters& service = self.service(e.version, e.route);
        service.open.add(e.open);
        service.used.add(e.used);
        service.waiting.add(e.waiting);
        service.addresses.add(e.addresses);
        service.up.add(e.up);
    }
    void operator()(const ServiceUnreachable&) const {}
    void operator()(const IdempotencyKeyUsed& e) const { to.idempotency[number(e.result)].add(); }
    void operator()(const BatchFinished& e) const {
        to.batches[e.committed ? 1 : 0].add();
        to.batch_operations[e.committed ? 1 : 0].add(e.operations);
    }
    void operator()(const InvalidationSeen& e) const { to.sources[self.sources_.index_of(e.source)].add(); }
    void operator()(const InvalidationLag& e) const { to.invalidation_lag.observe(e.lag); }
    void operator()(const AnnouncerChanged& e) const { to.announcing.set(e.announcing ? 1 : 0); }
    void operator()(const SlotLag& e) const { to.slot_lag_bytes.set(e.bytes ? static_cast<std::int64_t>(*e.bytes) : unknown); }
    void operator()(const FenceChanged& e) const { to.fenced.set(e.fenced ? 1 : 0); }
    void operator()(const Reloaded& e) const { to.reloads[self.reloads_.index_of(e.what, e.ok ? "ok" : "failed")].add(); }
    void operator()(const Lifecycle&) const {}
    void operator()(const Fallen&) const { to.fallen.add(); }
};

void Recorder::on(const Event& event) {
    std::visit(Count{*this}, event);
    write_line(event);
}

// Published with release: whoever scrapes sees the zeros that the new counters begin with.
RouteCounters& Recorder::route(std::string_view version, std::string_view name) {
    auto& place = counters_.routes[routes_.index_of(version, name)];
    RouteCounters* known = place.load(std::memory_order_relaxed);
    if (known != nullptr) return *known;
    place.store(&own_routes_.emplace_back(), std::memory_order_release);
    return own_routes_.back();
}

Histogram& Recorder::duration(RouteCounters& route, message::Method method, int status) {
    auto& place = route.durations[number(method)][status_class(status)];
    Histogram* known = place.load(std::memory_order_relaxed);
    if (known != nullptr) return *known;
    place.store(&own_histograms_.emplace_back(), std::memory_order_release);
    return own_histograms_.back();
}

ServiceCounters& Recorder::service(std::string_view version, std::string_view name) {
    auto& place = route(version, name).service;
    ServiceCounters* known = place.load(std::memory_order_relaxed);
    if (known != nullptr) return *known;
    place.store(&own_services_.emplace_back(), std::memory_order_release);
    return own_services_.back();
}

// Every n-th request rather than a random one: the share is exact, and a test can tell.
bool Recorder::sampled(const RequestFinished& request) {
    if (request.status >= 500) return true;
    sample_percent_ += log_.access_percent();
    if (sample_percent_ < 100) return false;
    sample_percent_ -= 100;
    return true;
}

void Recorder::write_audit_line(const RequestFinished& request) {
    line_.clear();
    append_audit_line(line_, request, std::chrono::system_clock::now());
    log_.write(line_);
}

void Recorder::write_line(const Event& event) {
    const auto* request = std::get_if<RequestFinished>(&event);
    if (request != nullptr && log_.audits() && is_audited(*request)) write_audit_line(*request);
    const auto level = level_of(event);
    if (!level || !log_.wants(*level)) return;
    if (request != nullptr && !sampled(*request)) return;
    line_.clear();
    append_line(line_, event, *level, std::chrono::system_clock::now());
    log_.write(line_);
}

}  // namespace millrace::telemetry
