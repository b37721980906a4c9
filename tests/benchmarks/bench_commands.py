"""How long the quick commands take as whole processes, beside a bare Python and beside importing pandas, in one run.

Usage: python tests/benchmarks/bench_commands.py [rounds]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from timeit import default_timer

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import pandas": ["-c", "import pandas"],
    "numebot --help": ["-m", "numebot", "--help"],
    "numebot config": ["-m", "numebot", "config"],
    "numebot status": ["-m", "numebot", "status"],
}
BASELINE = "import pandas"


def seconds(arguments: list[str], folder: str) -> float:
    environ = {"NUMERAI_DATA_FOLDER": folder, "HOME": folder, "PATH": "/usr/bin:/bin"}
    began = default_timer()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environ, capture_output=True, check=True)
    return default_timer() - began


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        for arguments in COMMANDS.values():
            seconds(arguments, folder)  # warm the disk's cache, make the database
        # In turn, so that a noisy minute hits all of them.
        taken = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, arguments in COMMANDS.items():
                taken[name].append(seconds(arguments, folder))
    baseline = statistics.median(taken[BASELINE])
    print(f"{'command':<18} {'median s':>9} {'best s':>8} {'/ ' + BASELINE:>16}")
    for name, values in taken.items():
        middle = statistics.median(values)
        print(f"{name:<18} {middle:>9.3f} {min(values):>8.3f} {middle / baseline:>16.2f}")


if __name__ == "__main__":
    main()
