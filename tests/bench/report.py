"""Samples -> the markdown table of docs/performance.md, and how far the goals are."""
import platform
import statistics
from datetime import date
from pathlib import Path

# PostgREST 16.0 on the two-core machine that this is developed on, 2026-11-23: server and Postgres together, µs.
POSTGREST_ONE, POSTGREST_MANY = 351, 639
COLUMNS = ("server", "Postgres", "Redis")
LAG_P99_MS = 20


def _median(samples, column):
    values = [sample.cpu_us[column] for sample in samples if column in sample.cpu_us]
    return statistics.median(values) if values else None


def _cell(value):
    return "–" if value is None else f"{value:.1f}"


def _together(samples):
    return statistics.median(sum(sample.cpu_us.values()) for sample in samples)


def _cpu():
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()


def table(results):
    lines = [f"CPU microseconds per request, medians, {date.today()}, {_cpu()}", "",
             "| what | requests/s | server | Postgres | Redis | together |", "|---|---:|---:|---:|---:|---:|"]
    for name, samples in results.items():
        if not samples:
            lines.append(f"| {name} | not measured | | | | |")
            continue
        cells = [_cell(_median(samples, column)) for column in COLUMNS]
        rate = statistics.median(sample.rate for sample in samples)
        lines.append(f"| {name} | {rate:,.0f} | {' | '.join(cells)} | {_together(samples):.1f} |")
    return "\n".join(lines)


def _ratio(ours, theirs):
    return round(_median(ours, "server") / _median(theirs, "server"), 2)


def _paired(ours, theirs):
    """Of rounds that ran side by side: what the machine does besides falls on both."""
    return statistics.median(sum(a.cpu_us.values()) / sum(b.cpu_us.values()) for a, b in zip(ours, theirs))


def _goal(results, name, value, limit, text):
    if not results.get(name):
        return f"- {name}: not measured"
    if limit is None:
        return f"- {name}: {text.format(value())}"
    return f"- {name}: {text.format(value())} ({'reached' if value() <= limit else 'missed'}, goal ≤ {limit})"


def goals(results):
    nginx, hit = results["nginx `return`, the same bytes"], results["in-process hit, one row"]
    one, many = results["one row by key, uncached"], results["100 rows, uncached"]
    redis, varnish = results["Redis hit, one row"], results["Varnish hit"]
    plain, timed = results["the same, no room to keep it"], results["a miss, kept by its time alone"]
    fenced = results["a miss, fenced: with snapshot and tags"]
    guarded_hit, by_role = results["in-process hit, API key and rate limit"], results["role and claims, one row"]
    guarded = results["one row by key, API key and rate limit"]
    return "\n".join([
        _goal(results, "in-process hit, one row", lambda: _ratio(hit, nginx), 1.15, "{} × nginx"),
        _goal(results, "in-process hit, one row", lambda: _ratio(hit, varnish), 0.6, "{} × Varnish"),
        _goal(results, "Redis hit, one row", lambda: round(_median(redis, "server"), 1), 25, "{} µs of ours"),
        _goal(results, "a miss, fenced: with snapshot and tags",
              lambda: round(_paired(fenced, timed), 3), 1.05, "{} × a miss that is kept by its time alone"),
        _goal(results, "a miss, kept by its time alone", lambda: round(_paired(timed, plain), 3), None,
              "{} × the row that is not kept"),
        _goal(results, "in-process hit, API key and rate limit",
              lambda: round(_median(guarded_hit, "server") - _median(hit, "server"), 2), 2, "{} µs more of ours than without"),
        _goal(results, "one row by key, API key and rate limit", lambda: round(_paired(guarded, by_role), 3), None,
              "{} × the same with a token and no limit"),
        _goal(results, "one row by key, uncached", lambda: round(_together(one), 1), 35,
              f"{{}} µs, where PostgREST takes {POSTGREST_ONE}"),
        _goal(results, "100 rows, uncached", lambda: round(_together(many), 1), 160,
              f"{{}} µs, where PostgREST takes {POSTGREST_MANY}"),
    ])


def lag_table(lags):
    lines = ["| commit → the last of three replicas has dropped the entry | writes/s besides | probes | p50, ms | p99, ms |",
             "|---|---:|---:|---:|---:|"]
    for lag in lags:
        lines.append(f"| written by {lag.by} | {lag.writes_per_s:,.0f} | {len(lag.milliseconds)} | {lag.percentile(0.5):.1f} | "
                     f"{lag.percentile(0.99):.1f} |")
    return "\n".join(lines)


def lag_goal(lags):
    worst = round(max(lag.percentile(0.99) for lag in lags), 1)
    return f"- lag: p99 {worst} ms ({'reached' if worst <= LAG_P99_MS else 'missed'}, goal ≤ {LAG_P99_MS})"
