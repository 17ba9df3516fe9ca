"""The rules of the project's layout and toolchain, for all files or those named. Exit code 1 when one is broken."""
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rules  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CHECKED = (".cpp", ".hpp", ".py", ".sh", ".sql", ".cmake", ".yml", ".yaml", ".cfg", "CMakeLists.txt", "Makefile")


def files():
    """What is under version control, and what is about to be; a plain walk where there is no git."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]
    return [str(path.relative_to(ROOT)) for top in ("src", "include", "tests", "tools", "config", "docker", "deploy")
            for path in (ROOT / top).rglob("*") if path.is_file()]


def main(names):
    broken = 0
    for name in sorted(names or files()):
        if not name.endswith(CHECKED):
            continue
        text = (ROOT / name).read_text(errors="replace")
        for line, rule, message in rules.check(name, text):
            print(f"{name}:{line}: {message} [{rule}]")
            broken += 1
        for warning in rules.warnings(name, text):
            print(warning)
    if broken:
        print(f"lint: {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
