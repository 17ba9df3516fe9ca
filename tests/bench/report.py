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


def _paired(ours, theirs, compare=lambda a, b: a / b, of=lambda sample: sum(sample.cpu_us.values())):
    """Of rounds that ran side by side: what the machine does besides falls on both."""
    return round(statistics.median(compare(of(a), of(b)) for a, b in zip(ours, theirs)), 3)


def _server(sample):
    return sample.cpu_us["server"]


def _goal(results, name, value, limit, text, beside=None):
    if not results.get(name) or (beside and not results.get(beside)):
        return f"- {name}: not measured"
    if limit is None:
        return f"- {name}: {text.format(value())}"
    return f"- {name}: {text.format(value())} ({'reached' if value() <= limit else 'missed'}, goal ≤ {limit})"


def goals(results):
    def ratio(name, beside, limit, text, of=lambda sample: sum(sample.cpu_us.values())):
        return _goal(results, name, lambda: _paired(results[name], results[beside], of=of), limit, text, beside)

    hit, guarded_hit = "in-process hit, one row", "in-process hit, API key and rate limit"
    one, many, redis = "one row by key, uncached", "100 rows, uncached", "Redis hit, one row"
    timed = "a miss, kept by its time alone"
    return "\n".join([
        ratio(hit, "nginx `return`, the same bytes", 1.15, "{} × nginx", _server),
        ratio(hit, "Varnish hit", 0.6, "{} × Varnish", _server),
        _goal(results, redis, lambda: round(_median(results[redis], "server"), 1), 25, "{} µs of ours"),
        ratio("a miss, fenced: with snapshot and tags", timed, 1.05, "{} × a miss that is kept by its time alone"),
        ratio(timed, "the same, no room to keep it", None, "{} × the row that is not kept"),
        _goal(results, guarded_hit, lambda: _paired(results[guarded_hit], results[hit], lambda a, b: a - b, _server), 2,
              "{} µs more of ours than without", hit),
        ratio("one row by key, API key and rate limit", "role and claims, one row", None, "{} × the same with a token and no limit"),
        _goal(results, one, lambda: round(_together(results[one]), 1), 35, f"{{}} µs, where PostgREST takes {POSTGREST_ONE}"),
        _goal(results, many, lambda: round(_together(results[many]), 1), 160, f"{{}} µs, where PostgREST takes {POSTGREST_MANY}"),
    ])


def lag_table(lags):
    lines = ["| commit → the last of three replicas has dropped the entry | writes/s besides | probes | p50, ms | p99, ms |",
             "|---|---:|---:|---:|---:|"]
    for lag in lags:
        lines.append(f"| written by {lag.by} | {lag.writes_per_s:,.0f} | {len(lag.milliseconds)} | {lag.percentile(0.5):.1f} | "
                     f"{lag.percentile(0.99):.1f} |")
    return "\n".join(lines)


def lag_goal(lags):
    if not lags:
        return "- lag: not measured"
    worst = round(max(lag.percentile(0.99) for lag in lags), 1)
    return f"- lag: p99 {worst} ms ({'reached' if worst <= LAG_P99_MS else 'missed'}, goal ≤ {LAG_P99_MS})"
