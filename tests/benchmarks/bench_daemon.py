"""What the daemon costs while nothing is to be done, and how long a round takes from its opening to all confirmed.

Usage: python tests/benchmarks/bench_daemon.py [minutes of idling, 5] [models, 20]

Both against a practice tournament in a process of its own. Aims: idle below 0.2 % of a core and 100 MB; the daemon's
own part of a round below 5 s, that is the total without waiting for the next look and transfers.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from timeit import default_timer

sys.path.insert(0, str(Path(__file__).parents[2]))

from numebot.adapters.clock import SystemClock
from numebot.practice.options import PracticeOptions
from numebot.practice.process import PracticeAddress, practice_process

PATIENCE_S = 600
PARTS = [
    ("python itself", "pass"),
    ("click, rich", "import click, rich.table, rich.progress"),
    ("settings (pydantic)", "import numebot.adapters.settings"),
    ("requests, urllib3, ssl", "import requests"),
    ("sqlalchemy", "import sqlalchemy"),
    ("apscheduler", "import apscheduler.schedulers.background"),
    ("the store opened (alembic)", "from numebot.adapters.store import Store; Store('sqlite:///bench.db')"),
    ("numebot's own", "import numebot.cli.serve, numebot.app.daemon, numebot.adapters.numerai.client"),
]
MEMORY = """
import sys
def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = 0.0
for line in sys.stdin.read().splitlines():
    exec(line)
    now = resident_mb()
    print(f"{now - before:.1f}")
    before = now
"""
PLUGIN = '''
from numebot.plugin import Model


class Light(Model):
    """The mean of the features."""

    feature_set = "small"

    def predict(self, live):
        return live.mean(axis=1)
'''


def note(folder: Path, address: PracticeAddress, models: list[str], settings: str) -> dict[str, str]:
    """Make a home with light models, and return the environment of a daemon that plays there."""
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "numebot.toml").write_text(settings)
    (folder / "light.py").write_text(PLUGIN)
    rows = [f"{name},light.py" for name in models]
    (folder / "model_configs.csv").write_text("\n".join(["numerai_name,model_code", *rows, ""]))
    return {
        **os.environ,
        "NUMEBOT_HOME": str(folder),
        "NUMERAI_DATA_FOLDER": str(folder / "data"),
        "NUMEBOT_API_URL": address.url,
        "NUMERAI_PUBLIC_ID": address.public_id,
        "NUMERAI_SECRET_KEY": address.secret_key,
    }


@contextmanager
def daemon(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        command = [sys.executable, "-m", "numebot", "serve"]
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def rows_of(database: Path, query: str) -> list[tuple[object, ...]]:
    if not database.exists():
        return []
    connection = sqlite3.connect(database, timeout=30)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []  # it is being made
    finally:
        connection.close()


def wait_until(is_so: Callable[[], object], what: str) -> None:
    give_up = default_timer() + PATIENCE_S
    while not is_so():
        if default_timer() > give_up:
            raise SystemExit(f"{what}: not so after {PATIENCE_S} s")
        threading.Event().wait(0.1)


def cpu_s(pid: int) -> float:
    """The time that the process itself used, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


def has_children(pid: int) -> bool:
    return any(task.read_text().strip() for task in Path(f"/proc/{pid}/task").glob("*/children"))


def idle(folder: Path, address: PracticeAddress, minutes: float) -> None:
    settings = "[schedule]\nidle_seconds = 60\n[daemon]\nkeep_awake = false\n"
    environ = note(folder / "idle", address, ["alpha"], settings)
    chores = "SELECT 1 FROM meta WHERE key LIKE 'chore:%'"
    with daemon(environ, folder / "idle.log") as process:
        database = folder / "idle" / "data" / "numebot.db"
        wait_until(lambda: len(rows_of(database, chores)) == 3 and not has_children(process.pid), "its chores are done")
        before_s, began = cpu_s(process.pid), default_timer()
        threading.Event().wait(minutes * 60)
        used_s, took_s = cpu_s(process.pid) - before_s, default_timer() - began
        memory_mb, threads = status(process.pid, "VmRSS") / 1000, status(process.pid, "Threads")
    print(f"idle for {took_s / 60:.1f} min, a look every 60 s as while a round may open")
    print(f"  CPU {used_s:.2f} s, {used_s / took_s:.3%} of a core (aim below 0.2 %)")
    print(f"  memory {memory_mb:.0f} MB resident (aim below 100), {threads} threads")
    lines = "\n".join(code for _, code in PARTS)
    told = subprocess.run([sys.executable, "-c", MEMORY], input=lines, cwd=folder, capture_output=True, text=True)
    for (name, _), size in zip(PARTS, told.stdout.split(), strict=True):
        print(f"    {name:<27}{size:>6} MB")


def advance(address: PracticeAddress, to: str) -> None:
    body = json.dumps({"to": to}).encode()
    request = urllib.request.Request(f"{address.url}/practice/advance", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()


def moment(text: object) -> float:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC).timestamp()


def play(folder: Path, address: PracticeAddress, models: list[str]) -> None:
    settings = "[schedule]\npoll_seconds = 1\nidle_seconds = 1\n[daemon]\nkeep_awake = false\n"
    environ = note(folder / "round", address, models, settings)
    database = folder / "round" / "data" / "numebot.db"
    ended = "SELECT 1 FROM submissions WHERE state = 'confirmed' AND round_number = (SELECT max(number) FROM rounds)"
    advance(address, "deadline")
    chores = "SELECT 1 FROM meta WHERE key LIKE 'chore:%'"
    with daemon(environ, folder / "round.log") as process:
        wait_until(lambda: len(rows_of(database, chores)) == 3 and not has_children(process.pid), "its chores are done")
        opened = SystemClock().now().timestamp()
        advance(address, "next-opening")
        wait_until(lambda: len(rows_of(database, ended)) == len(models), "all confirmed")
    events = rows_of(database, "SELECT at, model, details FROM events WHERE kind = 'state' ORDER BY id")
    (seen,) = rows_of(database, "SELECT max(first_seen_at) FROM rounds")[0]
    times: dict[str, dict[str, float]] = {}
    predicting_s = 0.0
    for at, model, details in events:
        content = json.loads(str(details))
        times.setdefault(str(model), {})[content["state"]] = moment(at)
        predicting_s += float(content.get("took_s") or 0)
    steps = list(times.values())
    uploads_s = sum(step["submitted"] - step["checked"] for step in steps)
    last = max(step["confirmed"] for step in steps)
    reading_back_s = last - max(step["submitted"] for step in steps)
    total_s, waiting_s = last - opened, moment(seen) - opened
    there, told = rows_of(database, "SELECT at, details FROM events WHERE kind = 'data' ORDER BY id")[-1]
    data_s = float(json.loads(str(told))["took_s"])
    start_s = moment(there) - data_s - moment(seen)
    first_s = min(step["predicted"] for step in steps) - moment(there)
    # Plugins predict beside the pass; what it waits for them counts as its own.
    own_s = total_s - waiting_s - data_s - uploads_s - reading_back_s
    print(f"a round with {len(models)} light models, from its opening to all confirmed: {total_s:.1f} s")
    print(f"  until it was seen (at most one poll)   {waiting_s:6.1f} s")
    print(f"  the live data                          {data_s:6.1f} s")
    print(f"  plugins predicting, beside the pass    {predicting_s:6.1f} s")
    print(f"  uploads and submissions                {uploads_s:6.1f} s")
    print(f"  reading back                           {reading_back_s:6.1f} s")
    print(f"  the daemon's own (aim below 5)         {own_s:6.1f} s")
    print(f"    of that: the start of the pass, until it asks for the data {start_s:.1f} s")
    print(f"             from the data to the first prediction {first_s:.1f} s")


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    models = [f"model_{number}" for number in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = PracticeOptions(
            folder / "practice", scale="tiny", models=("alpha", *models), validation_delay_s=0, makes_files_first=True
        )
        with practice_process(options, clock=SystemClock()) as address:
            if minutes > 0:
                idle(folder, address, minutes)
            play(folder, address, models)


if __name__ == "__main__":
    main()
