"""The rules: each takes a path (relative, as text) and the file's text, and yields (line, message)."""
import re

from cpp import blank, capturing_lambda, line_of, statement

LAYERS = ("core", "io", "app")
MAY_INCLUDE = {"core": {"core"}, "io": {"core", "io"}, "app": {"core", "io", "app"}}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)

# What the pure half must not know.
IMPURE_HEADERS = re.compile(r"boost/(asio|beast)|hiredis|pqxx|libpq|postgresql/|spdlog|prometheus|sys/socket|unistd\.h"
                            r"|^(thread|mutex|shared_mutex|condition_variable|future|iostream|fstream|random)$")
# A public header costs everyone who includes it; these are the vocabulary.
HEAVY_HEADERS = re.compile(r"^(boost/|nlohmann/|pqxx|spdlog|prometheus|hiredis|libpq|openssl/)")
VOCABULARY = {"boost/asio/awaitable.hpp", "boost/asio/io_context.hpp", "boost/asio/any_io_executor.hpp", "nlohmann/json_fwd.hpp"}

# (pattern, where it is banned, where it is allowed all the same, what to do instead)
BANNED = [
    (r"\bdetached\b", r"^(src|include)/", r"^$", "spawn into a net::TaskGroup: detached drops exceptions"),
    (r"\b(steady|system|high_resolution)_clock::now\b", r"^(src|include/millrace)/core/", r"^$", "take the time as an argument"),
    (r"\bspdlog::", r"^(src|include)/", r"^src/io/telemetry/", "emit an event; telemetry writes it"),
    (r"\b(secure_)?getenv\b|\benviron\b", r"^(src|include)/", r"^src/app/", "settings come from config::load"),
    (r"\bstd::(cout|cerr|clog)\b|\b(printf|puts)\s*\(", r"^(src|include)/", r"^src/app/", "emit an event"),
    (r"\bthis_thread::sleep|\busleep\s*\(|\bnanosleep\s*\(", r"^(src|include|tests)/", r"^tests/support/|^src/io/telemetry/sink\.cpp$",
     "net::sleep_for in coroutines; in tests wait for the thing itself"),
    (r"\bstd::views::|\branges::(unique|subrange|remove_if|partition)\b", r"^(src|include|tests)/", r"^$",
     "clang 14 cannot read libstdc++'s views and subranges, and tsan and the fuzzers need it: std::unique, a loop"),
    (r"\b(s?rand|random_device)\s*[({]", r"^(src|include/millrace)/core/", r"^$", "take randomness as an argument"),
    (r"\bstd::(mutex|thread|lock_guard|unique_lock|scoped_lock)\b", r"^(src|include/millrace)/core/", r"^$",
     "core has no threads"),
    (r"\busing\s+namespace\b", r"^(src|include)/.*\.hpp$", r"^$", "name what is used"),
]
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
LINES_MAX = 350


def layer_of(path):
    match = re.match(r"(?:src|include/millrace)/(\w+)/", path)
    return match[1] if match and match[1] in LAYERS else None


def layering(path, text):
    layer = layer_of(path)
    if not layer:
        return
    for match in INCLUDE.finditer(text):
        header = match[2]
        target = re.match(r"millrace/(\w+)/", header)
        if target and target[1] in LAYERS and target[1] not in MAY_INCLUDE[layer]:
            yield line_of(text, match.start(2)), f"{layer} must not include {header}: app -> io -> core, never back"
        if layer == "core" and IMPURE_HEADERS.search(header):
            yield line_of(text, match.start(2)), f"core must not include {header}: no I/O, threads, clock or log there"
        if path.startswith("include/") and HEAVY_HEADERS.search(header) and header not in VOCABULARY:
            yield line_of(text, match.start(2)), f"{header} is too heavy for a public header: include it in a .cpp"


def io_modules(path, text):
    module = re.match(r"(?:src/io/(\w+)/|include/millrace/io/(\w+)\.hpp)", path)
    if not module:
        return
    own = module[1] or module[2]
    for match in INCLUDE.finditer(text):
        other = re.match(r"millrace/io/(\w+)\.hpp", match[2])
        if other and other[1] not in {own, "net"}:
            yield line_of(text, match.start(2)), f"io/{own} must not include io/{other[1]}: they meet in core's values and in net"


def quoted_includes(path, text):
    for match in INCLUDE.finditer(text):
        if match[1] == '"' and "/" in match[2] and not match[2].startswith("millrace/"):
            yield line_of(text, match.start(2)), f'"{match[2]}": quotes are for private headers of the same folder'


def include_tree(path, text):
    if path.startswith("include/") and not re.fullmatch(r"include/millrace/(core|io|app)/\w+\.hpp", path):
        yield 1, "include/ holds one header per module, include/millrace/<layer>/<module>.hpp, and nothing else"


def co_await_statements(path, text):
    code = blank(text)
    for match in re.finditer(r"\bco_await\b", code):
        _, words = statement(code, match.start())
        what = None
        if capturing_lambda(words):
            what = "a capturing lambda"
        elif "?" in words:
            what = "?:"
        elif "{" in words:
            what = "braces"
        if what:
            yield line_of(code, match.start()), f"{what} in a statement with co_await (g++ 12 miscompiles it): name it, then await it"


def banned_calls(path, text):
    rules = [rule for rule in BANNED if re.search(rule[1], path) and not re.search(rule[2], path)]
    code = blank(text)
    for pattern, _, _, instead in rules:
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), f"{match[0].strip(' ({')} is banned here: {instead}"


def first_line(path, text):
    if re.match(r"(src/.*\.cpp|include/.*\.hpp)$", path) and not re.match(r"// \S.{14,}", text):
        yield 1, "the first line says in a comment what the file decides or does"
    if path.endswith(".hpp") and "#pragma once" not in text:
        yield 1, "#pragma once is missing"


def unfinished(path, text):
    for match in UNFINISHED.finditer(text):
        yield line_of(text, match.start()), f"{match[0]}: finish it, or write it down as an issue"


CPP_RULES = [layering, io_modules, quoted_includes, include_tree, co_await_statements, banned_calls, first_line]
ALL_RULES = [unfinished]


def check(path, text):
    """Errors of one file as (line, rule, message). A line may allow a rule: // lint: allow banned_calls, because …"""
    lines = text.split("\n")
    found = []
    for rule in (CPP_RULES if path.endswith((".cpp", ".hpp")) else []) + ALL_RULES:
        for line, message in rule(path, text):
            if f"lint: allow {rule.__name__}, because " not in lines[line - 1]:
                found.append((line, rule.__name__, message))
    return sorted(found)


def warnings(path, text):
    count = text.count("\n")
    if path.startswith(("src/", "include/", "tests/", "tools/")) and count > LINES_MAX:
        yield f"{path}: warning: {count} lines; more than {LINES_MAX} are usually two things"
