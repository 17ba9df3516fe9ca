"""The dialect's conformance cases against `millrace serve --postgrest`: what is known to differ, and nothing else."""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from stack import ROOT, Postgres, binary, free_port  # noqa: E402

CASES = Path(os.environ.get("CONFORMANCE", ROOT.parent / "shared" / "conformance"))
LOGIN = "Postgrest_Test_Authenticator"

# docs/dialect.md, "Deliberate differences", says why.
KNOWN = {
    "Query/AggregateFunctionsSpec:33",  # a stray quote at the end of the select
    "Query/CustomMediaSpec:58",  # the version byte of binary jsonb
    "Query/QuerySpec:628",  # Content-Length: JSON without white space
    "Query/RangeSpec:67",  # the same
    "Query/PgSafeUpdateSpec:31",  # needs the library safeupdate, which Debian does not have
    "Query/PgSafeUpdateSpec:37",
}
# Without the package postgresql-15-postgis-3 the fixtures lack what these read.
NEED_POSTGIS = ("PostGISSpec", "CustomMediaSpec", "RpcSpec", "OpenApiSpec", "QuerySpec")


def forget_dump():
    """The fixtures have Postgres write this file, and the next cluster may belong to another user."""
    with contextlib.suppress(OSError):
        Path("/tmp/projects_dump.csv").unlink()


@unittest.skipUnless((CASES / "run.py").exists(), f"skipped: there are no cases in {CASES}")
class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="millrace-conformance-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.postgres = Postgres(cls.directory, settings={"autovacuum": "off", "jit": "on", "shared_preload_libraries": "pg_stat_statements"})
        cls.postgres.start()
        cls.addClassCleanup(cls.postgres.stop)
        cls.addClassCleanup(forget_dump)

    def url(self, role, database="spec"):
        return f"postgresql://{role}@127.0.0.1:{self.postgres.port}/{database}"

    def run_kit(self, *command):
        environment = {**os.environ, "CONF_STATE": self.directory}
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=280, check=False)

    def test_only_what_is_known_differs(self):
        loaded = self.run_kit(CASES / "fixtures.sh", CASES / "postgrest", self.url("postgres"))
        self.assertEqual(loaded.returncode, 0, loaded.stderr)
        has_postgis = "PostGIS is not available" not in loaded.stderr
        report = Path(self.directory, "report.json")
        ran = self.run_kit(
            sys.executable, CASES / "run.py", CASES / "cases.jsonl", "--group", "all", "--base", f"http://127.0.0.1:{free_port()}",
            "--server-cmd", f"{binary()} serve --postgrest", "--db-uri", self.url(LOGIN), "--json", report,
            "--reset-cmd", f"'{CASES / 'fixtures.sh'}' --reset {self.url('postgres')}")
        self.assertTrue(report.exists(), ran.stdout + ran.stderr)
        cases = json.loads(report.read_text())
        self.assertGreater(len(cases), 600)
        failed = {case["id"]: case["failures"] for case in cases if not case["ok"]}
        print(f"\n{len(cases) - len(failed)} of {len(cases)} cases pass" + ("" if has_postgis else "; PostGIS is not installed"))
        if not has_postgis:
            failed = {name: why for name, why in failed.items() if not any(spec in name for spec in NEED_POSTGIS)}
        unexpected = {name: why for name, why in failed.items() if name not in KNOWN}
        self.assertEqual(unexpected, {}, json.dumps(unexpected, indent=1)[:4000])
        if has_postgis:
            self.assertEqual(set(failed), KNOWN, "what passes now is no longer a known difference")


if __name__ == "__main__":
    unittest.main()
