#!/usr/bin/env python3
"""Installs the clients of package-lock.json into a folder and runs their tests against the server and the demo shop.

Exit code 77 says that it was skipped: node, npm or the registry are not there."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))
from stack import Millrace, Postgres, Varnish, demo, migrate  # noqa: E402

SKIPPED = 77
NODE_MAJOR_MIN = 20  # for what the tests themselves use


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def require_node():
    for program in ("node", "npm"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_MAJOR_MIN:
        skip(f"node {version} is older than {NODE_MAJOR_MIN}")


def install(folder):
    """npm ci, unless the folder holds what the lock file says. A registry that is not there skips; anything else fails."""
    lock = (HERE / "package-lock.json").read_text()
    marker = folder / "node_modules" / ".installed"
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*HERE.glob("*.mjs"), *HERE.glob("package*.json")]:
        shutil.copy(file, folder)
    if marker.exists() and marker.read_text() == lock:
        return
    options = ["--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000", "--loglevel=error"]
    done = subprocess.run(["npm", "ci", *options], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if subprocess.run(["npm", "ping", *options], cwd=folder, capture_output=True, check=False).returncode != 0:
            skip("the npm registry does not answer")
        sys.exit(f"npm ci failed:\n{done.stdout}{done.stderr}")
    marker.write_text(lock)


def run_tests(folder, only):
    config = HERE / "config" / "millrace.json"
    with tempfile.TemporaryDirectory(prefix="millrace-clients-") as directory:
        postgres = Postgres(directory)
        server = Millrace(directory, postgres.url(demo.DATABASE, demo.ROLE), config=config)
        front = Varnish(directory, server.port)
        try:
            postgres.start()
            demo.create(postgres, products=1000, quiet=True)
            done = postgres.psql(["-q", "-v", "ON_ERROR_STOP=1", "-f", str(HERE / "extras.sql")], demo.DATABASE,
                                 capture_output=True)
            if done.returncode != 0:
                sys.exit(f"extras.sql failed:\n{done.stderr}")
            migrate(postgres, config=config)
            server.start()
            front.start()
            files = [file.name for file in sorted(folder.glob("*.test.mjs")) if only in file.name]
            environment = {**os.environ, "MILLRACE_URL": f"{server.base}/v1", "MILLRACE_FRONT_URL": f"{front.base}/v1"}
            return subprocess.run(["node", "--test", *files], cwd=folder, env=environment, check=False).returncode
        finally:
            front.stop()
            server.stop()
            postgres.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "millrace-clients",
                        help="where the clients are installed")
    parser.add_argument("--only", default="", help="files whose name contains this")
    arguments = parser.parse_args()
    require_node()
    install(arguments.folder)
    sys.exit(run_tests(arguments.folder, arguments.only))


if __name__ == "__main__":
    main()
