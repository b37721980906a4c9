"""The service and its installer, without a running systemd: its own tools read the units, a stand-in is called."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.machine_tools import needs

ROOT = Path(__file__).parents[1]
SHARED_DATA = Path(os.environ.get("NUMEBOT_SHARED_DATA", ROOT.parent / "shared" / "data"))
REAL_ROUNDS = SHARED_DATA / "api-jos1977" / "rounds.parquet"
UNITS = ("numebot.service", "numebot-run.service", "numebot-run.timer")
IS_ROOT = os.geteuid() == 0
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable  # one that any user may start
AWKWARD = "a folder, 100 %h $HOME ${PATH} & | ; é"
LONGEST_WAIT = timedelta(minutes=12)


class Machine:
    """A numebot in a folder with an awkward name, a folder for units, and a systemctl that writes down its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / AWKWARD / "numebot"
        self.data = folder / f"data {AWKWARD}"
        self.units = folder / "units"
        self.calls = folder / "calls"
        for name in ("scripts", "config"):
            shutil.copytree(ROOT / name, self.repository / name)
        (self.repository / ".secret").write_text("PUBLIC_ID=a\nSECRET_KEY=CANARY\n")
        settings = {"settings": {"paths": {"data_folder": {"value": str(self.data)}}}}
        self.answer = folder / "answer"
        self.answer.write_text(json.dumps(settings))
        self.program("numebot", self.repository / ".venv" / "bin", f"cat {self.answer}")
        self.program("python", self.repository / ".venv" / "bin", f'exec {PYTHON} "$@"')
        self.program("setup", self.repository / "scripts", "")
        self.program("systemctl", folder / "bin", f'echo "systemctl $*" >> {self.calls}')

    def program(self, name: str, folder: Path, text: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)

    def script(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.repository / "scripts" / "install-service", *arguments],
            env={
                "PATH": f"{self.folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": str(self.folder),
                "NUMEBOT_UNIT_FOLDER": str(self.units),
                **environ,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *arguments: str) -> str:
        answer = self.script(*arguments)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def said_to_systemd(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def unit(self, name: str) -> str:
        return (self.units / name).read_text(encoding="utf-8")

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def machine() -> Iterator[Machine]:
    # not in tmp_path, which other users may not enter: as root, numebot is installed for another one
    with tempfile.TemporaryDirectory(prefix="numebot-units-") as folder:
        Path(folder).chmod(0o755)
        made = Machine(Path(folder))
        if IS_ROOT:
            for path in (made.folder, *made.folder.rglob("*")):
                shutil.chown(path, "daemon", "daemon")
        yield made


def user() -> str:
    return (
        "daemon"
        if IS_ROOT
        else subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    )


@pytest.fixture
def analyze() -> str:
    return needs("systemd-analyze", "systemd")


def analyzed(command: list[str], **environ: str) -> str:
    answer = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environ},
    )
    assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
    return answer.stdout + answer.stderr


@pytest.mark.parametrize("mode", ["system", "user"])
def test_systemd_understands_every_line_also_with_awkward_paths(mode: str, machine: Machine, analyze: str) -> None:
    machine.install(f"--{mode}")
    runtime = machine.folder / "runtime"
    runtime.mkdir(mode=0o700)
    words = analyzed(
        [analyze, f"--{mode}", "verify", "--man=no", *(str(machine.units / name) for name in UNITS)],
        XDG_RUNTIME_DIR=str(runtime),
    )
    # it looks for the program of ExecStart=, so the escaping is right; what it says of other units is not ours
    assert "numebot" not in words


@pytest.mark.parametrize("name", UNITS[:2])
def test_the_exposure_of_a_service_of_the_machine_stays_low(
    name: str, machine: Machine, analyze: str, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.install("--system")
    words = analyzed([analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(machine.units / name)])
    with capsys.disabled():
        sys.stdout.write(f"\n{words.splitlines()[-1]}\n")
    (exposure,) = re.findall(r"exposure level for \S+: (\d+\.\d)", words)
    assert float(exposure) <= 2.0


@pytest.mark.parametrize("mode", ["system", "user"])
def test_installed_and_removed_nothing_stays_but_the_data(mode: str, machine: Machine) -> None:
    systemctl = "systemctl" if mode == "system" else "systemctl --user"
    before = machine.files()
    told = machine.install(f"--{mode}")
    rules = ("50-numebot.rules",) if mode == "system" else ()
    assert sorted(path.name for path in machine.units.iterdir()) == sorted((*UNITS, *rules))
    assert machine.data.stat().st_mode & 0o777 == 0o700
    assert machine.said_to_systemd() == [
        f"{systemctl} daemon-reload",
        f"{systemctl} enable --now numebot.service numebot-run.timer",
    ]
    assert ("loginctl enable-linger" in told) == (mode == "user")
    assert str(machine.data) in told

    machine.calls.unlink()
    machine.install(f"--{mode}", "--uninstall")
    assert machine.said_to_systemd() == [
        f"{systemctl} disable --now {' '.join(UNITS)}",
        f"{systemctl} daemon-reload",
    ]
    machine.calls.unlink()
    assert machine.files() == before
    assert machine.data.is_dir()

    assert "Nothing is installed" in machine.install(f"--{mode}", "--uninstall")
    assert machine.said_to_systemd() == []


def test_installed_once_more_the_daemon_starts_anew(machine: Machine) -> None:
    machine.install("--user")
    (machine.units / "numebot.service").write_text("old")
    machine.install("--user")
    assert machine.said_to_systemd()[-1] == "systemctl --user restart numebot.service"
    assert "serve" in machine.unit("numebot.service")


def test_the_daemon_tells_systemd_and_is_always_started_again(machine: Machine) -> None:
    machine.install("--user")
    lines = machine.unit("numebot.service").splitlines()
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=3600", "Restart=always", "StartLimitIntervalSec=0"):
        assert line in lines
    for line in ("KillMode=mixed", "TimeoutStopSec=20", "LimitCORE=0"):
        assert line in lines
    assert sum(line.startswith("ExecStart=") and line.endswith('/.venv/bin/numebot" serve') for line in lines) == 1
    once = machine.unit("numebot-run.service").splitlines()
    assert sum(line.startswith("ExecStart=") and line.endswith('/numebot" run --scheduled') for line in once) == 1


def test_a_service_of_the_machine_runs_as_the_owner_with_the_key_as_credential(machine: Machine) -> None:
    machine.install("--system")
    escaped = str(machine.repository).replace("%", "%%")
    for name in UNITS[:2]:
        lines = machine.unit(name).splitlines()
        assert f"User={user()}" in lines
        assert f"LoadCredential=secret:{escaped}/.secret" in lines
        assert f"WorkingDirectory={escaped}" in lines
        assert re.findall(r"@[A-Z_]+@|^#(?:system|user|secret) ", machine.unit(name), re.MULTILINE) == []
    assert "WantedBy=multi-user.target" in machine.unit("numebot.service")


def test_a_service_of_the_machine_may_keep_it_awake(machine: Machine) -> None:
    machine.install("--system")
    assert f'subject.user == "{user()}"' in machine.unit("50-numebot.rules")


def test_a_service_of_ones_own_asks_for_nothing_that_needs_root(machine: Machine) -> None:
    machine.install("--user")
    keys = {line.partition("=")[0] for line in machine.unit("numebot.service").splitlines()}
    assert not keys & {"User", "LoadCredential", "PrivateUsers", "ProtectSystem", "CapabilityBoundingSet"}
    assert {"NoNewPrivileges", "SystemCallFilter", "UMask"} <= keys
    assert "WantedBy=default.target" in machine.unit("numebot.service")


def test_without_a_key_it_is_installed_and_says_what_is_missing(machine: Machine) -> None:
    (machine.repository / ".secret").unlink()
    answer = machine.script("--system")
    assert answer.returncode == 0
    assert "no .secret yet" in answer.stderr
    assert "LoadCredential" not in machine.unit("numebot.service")


@pytest.mark.parametrize("arguments", [("--system",), ("--user",), ("--uninstall",)])
def test_a_dry_run_touches_nothing_and_needs_no_systemd(arguments: tuple[str, ...], machine: Machine) -> None:
    if arguments == ("--uninstall",):
        machine.install()
        machine.calls.unlink()
    (machine.folder / "bin" / "systemctl").unlink()
    before = machine.files()
    told = machine.install("--dry-run", *arguments)
    assert machine.files() == before
    assert "daemon-reload" in told
    assert "CANARY" not in told
    if arguments != ("--uninstall",):
        assert not machine.data.exists()
        assert all(f"would write {machine.units / name}:" in told for name in UNITS)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--systen",), 2, '"--systen" is not known here'),
        (("--run-as",), 2, "--run-as needs the name of a user"),
        (("--user", "--run-as", "daemon"), 2, "--run-as goes with --system"),
        (("--system", "--run-as", "nobody-of-this-name"), 2, 'no user "nobody-of-this-name"'),
    ],
)
def test_wrong_use_is_said_and_nothing_is_touched(
    arguments: tuple[str, ...], code: int, words: str, machine: Machine
) -> None:
    answer = machine.script(*arguments)
    assert (answer.returncode, machine.said_to_systemd()) == (code, [])
    assert words in answer.stderr
    assert not machine.units.exists()


@pytest.mark.parametrize("character", ['"', "\\", "\n"], ids=["quote", "backslash", "line break"])
def test_a_folder_that_systemd_cannot_name_is_refused(character: str, machine: Machine) -> None:
    data = str(machine.folder / f"da{character}ta")
    machine.answer.write_text(json.dumps({"settings": {"paths": {"data_folder": {"value": data}}}}))
    answer = machine.script("--user")
    assert (answer.returncode, machine.said_to_systemd()) == (1, [])
    assert "systemd allows no quote and no backslash" in answer.stderr
    assert not machine.units.exists()


def test_settings_that_numebot_refuses_are_not_installed(machine: Machine) -> None:
    machine.program("numebot", machine.repository / ".venv" / "bin", "echo 'line 3 is wrong' >&2; exit 2")
    answer = machine.script("--user")
    assert answer.returncode == 1
    assert "line 3 is wrong" in answer.stderr
    assert "nothing was installed" in answer.stderr
    assert not machine.units.exists()


def test_a_systemctl_that_fails_is_said_with_the_next_step(machine: Machine) -> None:
    machine.program("systemctl", machine.folder / "bin", 'case "$*" in *enable*) exit 1 ;; esac')
    answer = machine.script("--user")
    assert answer.returncode == 1
    assert '"systemctl --user enable --now numebot.service numebot-run.timer" failed' in answer.stderr
    assert "journalctl --user -u numebot" in answer.stderr


def test_a_machine_without_systemd_is_told_so(machine: Machine) -> None:
    for tool in ("dirname", "id"):
        machine.program(tool, machine.folder / "bin", f'exec {shutil.which(tool)} "$@"')
    (machine.folder / "bin" / "systemctl").unlink()
    answer = machine.script("--user", PATH=str(machine.folder / "bin"))
    assert answer.returncode == 1
    assert "does not run systemd" in answer.stderr
    assert "numebot serve" in answer.stderr


def test_settings_that_only_the_shell_knows_are_warned_about(machine: Machine) -> None:
    assert "warning" not in machine.script("--user", "--dry-run").stderr
    answer = machine.script("--user", "--dry-run", NUMERAI_DATA_FOLDER="/elsewhere", NUMERAI_SECRET_KEY="CANARY")
    assert answer.returncode == 0
    assert "the service does not see what your shell sets: " in answer.stderr
    assert "NUMERAI_DATA_FOLDER" in answer.stderr
    assert "CANARY" not in answer.stderr + answer.stdout


@pytest.mark.skipif(not IS_ROOT, reason="only root can install for root: run the tests as root for this one")
def test_numebot_never_runs_as_root_without_a_warning(machine: Machine) -> None:
    assert "warning" not in machine.script("--system", "--dry-run").stderr
    assert "will run as root" in machine.script("--system", "--dry-run", "--run-as", "root").stderr


def test_a_service_of_the_machine_needs_root(machine: Machine) -> None:
    script = str(machine.repository / "scripts" / "install-service")
    environ = {"PATH": f"{machine.folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(machine.folder)}
    command = ["runuser", "-u", user(), "--", script] if IS_ROOT else [script]
    answer = subprocess.run([*command, "--system"], env=environ, capture_output=True, text=True, check=False)
    assert (answer.returncode, machine.said_to_systemd()) == (1, [])
    assert "sudo scripts/install-service" in answer.stderr


def timer() -> dict[str, list[str]]:
    """The keys of the timer's [Timer] section."""
    keys: dict[str, list[str]] = {}
    for line in (ROOT / "config" / "numebot-run.timer").read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            keys.setdefault(name, []).append(value)
    return keys


def next_shot(analyze: str, after: datetime) -> datetime:
    """When the timer starts the pass at the latest, if a round opens then."""
    keys = timer()
    just_before = after - timedelta(seconds=1)  # the next shot is one after the base
    words = analyzed(
        [analyze, "calendar", f"--base-time={just_before:%Y-%m-%d %H:%M:%S} UTC", *keys["OnCalendar"]], TZ="UTC"
    )
    shots = re.findall(r"Next elapse: \w+ (\S+ \S+) UTC", words)
    assert len(shots) == len(keys["OnCalendar"]), words
    first = min(datetime.fromisoformat(shot).replace(tzinfo=UTC) for shot in shots)
    slack = sum(int(keys[name][0].removesuffix("s")) for name in ("AccuracySec", "RandomizedDelaySec"))
    return first + timedelta(seconds=slack)


# Published windows over the years, and the latest opening ever seen, on each kind of day.
NOMINAL = {
    "saturdays until 2022": ("2022-10-15T18:00:00", "2022-10-17T14:30:00"),
    "first daily round": ("2022-10-25T13:00:00", "2022-10-25T14:20:00"),
    "4 h 39 min late": ("2022-11-29T17:39:07", "2022-11-29T18:39:07"),
    "weekend until monday": ("2022-11-12T13:00:00", "2022-11-14T14:00:00"),
    "weekday now": ("2026-11-24T12:00:00", "2026-11-24T13:00:00"),
    "friday now, just missed": ("2026-11-27T12:02:01", "2026-11-27T13:02:01"),
    "weekend now": ("2026-11-21T12:00:00", "2026-11-22T14:00:00"),
    "weekend, very late": ("2026-11-21T16:39:00", "2026-11-22T18:39:00"),
    "weekday, as late as ever": ("2026-11-25T16:39:00", "2026-11-25T17:39:00"),
}


@pytest.mark.parametrize("window", NOMINAL.values(), ids=NOMINAL)
def test_the_timer_finds_every_published_window(window: tuple[str, str], analyze: str) -> None:
    opens_at, closes_at = (datetime.fromisoformat(time).replace(tzinfo=UTC) for time in window)
    assert next_shot(analyze, opens_at) <= min(opens_at + LONGEST_WAIT, closes_at)


def test_the_timer_comes_back_to_a_weekend_round_until_its_deadline(analyze: str) -> None:
    now, deadline = datetime(2026, 11, 21, 12, tzinfo=UTC), datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    while now < deadline:
        assert next_shot(analyze, now) <= now + LONGEST_WAIT, now
        now += timedelta(hours=1, minutes=7)


def test_the_timer_is_quiet_while_nothing_can_open(analyze: str) -> None:
    assert next_shot(analyze, datetime(2026, 11, 24, 20, tzinfo=UTC)) > datetime(2026, 11, 25, 11, tzinfo=UTC)


@pytest.mark.skipif(not REAL_ROUNDS.exists(), reason=f"{REAL_ROUNDS} is not there; set NUMEBOT_SHARED_DATA")
def test_the_timer_finds_every_real_round_within_minutes(analyze: str) -> None:
    rounds = pd.read_parquet(REAL_ROUNDS)
    opened = pd.to_datetime(rounds["openTime"], format="%m/%d/%Y %H:%M:%S", utc=True)
    deadlines = pd.to_datetime(rounds["closeStakingTime"], format="%m/%d/%Y %H:%M:%S", utc=True)
    assert len(rounds) > 200
    for number, opens_at, deadline in zip(rounds["number"], opened, deadlines, strict=True):
        assert next_shot(analyze, opens_at) <= min(opens_at + LONGEST_WAIT, deadline), f"round {number}"
