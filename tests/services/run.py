"""The tests that need real servers: `make test-services`.

Each part starts its servers on this machine, on free ports of the loopback interface or of network
namespaces of its own, and ends them. What is not installed is skipped with words; in continuous
integration (CI=true) it is an error. Names of parts behind the command, such as PostgreSQL, choose
them; other words go to pytest.
"""

import sys
import time

from scripts import run_tests

PARTS = {
    "PostgreSQL": "test_postgresql.py",
    "Dask": "test_cluster.py",
    "JupyterHub": "test_hub.py",
}
PART_SECONDS = 900  # on a busy machine


def main(words=None):
    """Run all parts and print how long each took; 0 if nothing failed."""
    words = sys.argv[1:] if words is None else words
    begin, parts = time.monotonic(), []
    folder = run_tests.ROOT / "tests" / "services"
    chosen = [name for name in PARTS if name in words] or list(PARTS)
    words = [word for word in words if word not in PARTS]
    for name in chosen:
        options = ["-m", "service", "-p", "no:cacheprovider", "--durations=5", *words]
        file = PARTS[name]
        parts.append(run_tests.pytest_part(name, [str(folder / file), *options], PART_SECONDS))
    print("\n=== summary of the services")
    print("\n".join(part.row() for part in parts))
    print(f"{time.monotonic() - begin:.0f} s in all", flush=True)
    return int(any(part.failed for part in parts))


if __name__ == "__main__":
    sys.exit(main())
