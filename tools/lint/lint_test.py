"""Tests of the lint rules: what each refuses, and what looks alike and is fine."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rules import check  # noqa: E402

FIRST = "// Says what this file is there for.\n#pragma once\n"


def found(path, body):
    return [rule for _, rule, _ in check(path, FIRST + body)]


class Lint(unittest.TestCase):
    def refuses(self, rule, path, body):
        self.assertIn(rule, found(path, body), body)

    def accepts(self, path, body):
        self.assertEqual([], found(path, body), body)

    def test_layers_go_one_way(self):
        self.refuses("layering", "src/core/plan/plan.cpp", '#include "millrace/io/pg.hpp"')
        self.refuses("layering", "src/io/pg/lane.cpp", "#include <millrace/app/app.hpp>")
        self.refuses("layering", "include/millrace/core/plan.hpp", "#include <boost/asio/awaitable.hpp>")
        self.refuses("layering", "src/core/plan/plan.cpp", "#include <mutex>")
        self.refuses("layering", "include/millrace/io/pg.hpp", "#include <pqxx/pqxx>")
        self.accepts("src/app/app/app.cpp", "#include <millrace/io/pg.hpp>\n#include <millrace/core/plan.hpp>")
        self.accepts("include/millrace/io/pg.hpp", "#include <boost/asio/awaitable.hpp>")
        self.accepts("src/core/plan/plan.cpp", '// #include "millrace/io/pg.hpp" in a comment')

    def test_modules_of_io_do_not_know_each_other(self):
        self.refuses("io_modules", "src/io/pg/lane.cpp", '#include "millrace/io/redis.hpp"')
        self.accepts("src/io/pg/lane.cpp", '#include "millrace/io/pg.hpp"\n#include "millrace/io/net.hpp"')

    def test_quotes_are_for_the_same_folder(self):
        self.refuses("quoted_includes", "src/core/plan/plan.cpp", '#include "../sql/text.hpp"')
        self.accepts("src/core/plan/plan.cpp", '#include "embed.hpp"\n#include "millrace/core/plan.hpp"')

    def test_the_include_tree_is_the_architecture(self):
        self.refuses("include_tree", "include/millrace/core/plan/detail.hpp", "")
        self.refuses("include_tree", "include/millrace/util.hpp", "")

    def test_statements_with_co_await(self):
        path = "src/io/pg/lane.cpp"
        for body in ("auto f() { co_await run(Options{1, 2}); }",
                     "auto f() { co_await run({1, 2}); }",
                     "auto f() { auto x = co_await run([self] { self->go(); }); }",
                     "auto f() { auto x = co_await run([&](int a) mutable { return a; }); }",
                     "auto f() { auto x = co_await run([this]() -> asio::awaitable<void> { co_return; }); }",
                     "auto f() { Q q{co_await g()}; }",
                     "auto f() { std::vector<int> v = {co_await g()}; }",
                     "auto f() { auto x = c ? co_await g() : y; }",
                     "auto f() { co_return Reply{co_await g()}; }",
                     "auto f() { if (co_await g(Deadline{now})) { go(); } }",
                     "auto f() { use(co_await g(\n    a,\n    Options{}));\n}"):
            self.refuses("co_await_statements", path, body)

    def test_statements_that_look_alike(self):
        path = "src/io/pg/lane.cpp"
        for body in ("auto f() { co_await run(a, std::move(b)); }",
                     "auto f() { Options o{1, 2}; co_await run(o); }",
                     "auto f() { if (c) { co_await g(); } else { co_await h(); } auto x = c ? 1 : 2; }",
                     "auto f() { for (auto& x : xs) { if (auto y = co_await g(x); y) { return Z{y}; } } }",
                     "auto f() { while (!co_await g()) {} Q q{1}; }",
                     "auto f() { spawn([self]() -> asio::awaitable<void> { co_await self->go(); }); }",
                     "auto f() { auto task = [self](Options o) -> Awaitable { co_await self->go(o); }; spawn(task); }",
                     "auto f() { spawn([] { return g(); }, Options{1}); co_await h(); }",
                     "auto f() { co_await g(v[i], \"{?}\", '{', 1'000); /* {} ? */ }",
                     "auto f() { switch (x) { case 1: co_await g(); break; } }",
                     "auto f() { try { co_await g(); } catch (const E& e) { throw F{e}; } }",
                     "asio::awaitable<void> S::f() const { co_await g(); }",
                     "auto f() { co_await run([] { return 1; }); }",
                     "auto f() { Q q{1};\n co_await g(); }",
                     "auto f() -> asio::awaitable<int> { co_return co_await g(); }"):
            self.accepts(path, body)

    def test_banned_calls_have_a_place(self):
        self.refuses("banned_calls", "src/io/http/server.cpp", "co_spawn(c, f(), asio::detached);")
        self.refuses("banned_calls", "src/core/cache/cache.cpp", "auto t = std::chrono::steady_clock::now();")
        self.refuses("banned_calls", "src/app/app/run.cpp", "spdlog::info(1);")
        self.refuses("banned_calls", "src/io/pg/pool.cpp", 'auto e = std::getenv("X");')
        self.refuses("banned_calls", "src/core/plan/plan.cpp", "std::cout << 1;")
        self.refuses("banned_calls", "tests/unit/a_test.cpp", "std::this_thread::sleep_for(1s);")
        self.refuses("banned_calls", "include/millrace/core/plan.hpp", "using namespace std;")
        self.refuses("banned_calls", "src/core/plan/plan.cpp", "std::ranges::unique(all);")
        self.accepts("src/io/net/clock.cpp", "return std::chrono::steady_clock::now();")
        self.accepts("src/io/telemetry/log.cpp", "spdlog::info(1);")
        self.accepts("src/app/app/run.cpp", 'std::getenv("X"); std::cout << 1;')
        self.accepts("src/core/plan/plan.cpp", 'auto s = "std::cout"; // std::cout')

    def test_a_line_may_allow_a_rule_with_a_reason(self):
        self.accepts("src/io/a/b.cpp", "f(asio::detached);  // lint: allow banned_calls, because nothing here can throw")
        self.refuses("banned_calls", "src/io/a/b.cpp", "f(asio::detached);  // lint: allow banned_calls")

    def test_first_lines_and_unfinished_work(self):
        self.assertIn("first_line", [rule for _, rule, _ in check("src/core/a/b.cpp", "#include <map>\n")])
        self.assertIn("first_line", [rule for _, rule, _ in check("include/millrace/core/b.hpp", FIRST.split("#", 1)[0])])
        self.refuses("unfinished", "tests/unit/a_test.cpp", "// TO" "DO: more")
        self.refuses("unfinished", "tools/x.py", "# FIX" "ME")


if __name__ == "__main__":
    unittest.main()
