from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from numebot.adapters import machine
from numebot.adapters.lock_file import locked_libraries, plain_names
from numebot.adapters.registry.learning import learns
from numebot.adapters.surroundings import installed_libraries
from numebot.adapters.units import units

ROOT = Path(__file__).parents[2]
MOUNTS = """22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / {folder}/share\\040one rw - nfs4 nas:/one rw
31 30 0:26 / {folder}/share\\040one/inner rw - tmpfs tmpfs rw
broken line
"""


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS.format(folder=tmp_path))
    (tmp_path / "share one" / "inner").mkdir(parents=True)
    kinds = [machine.file_system_of(tmp_path / place, tmp_path / "mounts")
             for place in ("other", "share one/data/not/there", "share one/inner/data")]  # fmt: skip
    assert kinds == ["ext4", "nfs4", "tmpfs"]
    assert machine.file_system_of(tmp_path, tmp_path / "absent") is None


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    assert machine.writing_trouble(tmp_path) is None
    assert machine.writing_trouble(tmp_path / "not" / "yet") is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert machine.writing_trouble(tmp_path / "file" / "below") == f"{tmp_path / 'file'} is no folder"
    if Path("/proc/self").is_dir():
        assert machine.writing_trouble(Path("/proc/self")) is not None


def test_memory_and_room_are_known() -> None:
    assert machine.memory_mb() > 100
    free, total = machine.room(Path("/nowhere/at/all"))
    assert 0 < free < total


def test_the_lock_is_read_with_its_markers(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(
        "# made\nNumPy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:aa\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:bb\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:cc\n"
        "ruamel.yaml==1.0 \\\n    --hash=sha256:dd\n"
    )
    found = {"numpy": {"2.4.6", "2.5.5"}, "colorama": set(), "ruamel-yaml": {"1.0"}}
    assert locked_libraries(tmp_path / "lock") == found
    assert locked_libraries(tmp_path / "absent") == {}


def test_the_lock_of_this_numebot_is_what_is_installed() -> None:
    locked, installed = locked_libraries(ROOT / "requirements.txt"), plain_names(installed_libraries())
    assert len(locked) > 30
    assert {name for name, versions in locked.items() if versions and installed.get(name) not in versions} == set()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("class A:\n    def fit(self, data): ...\n", True),
        ("class A:\n    def predict(self, live): ...\n", False),
        ("def fit(): ...\n", False),
        ("class A(:\n", None),
    ],
)
def test_a_plugin_that_learns_is_known_by_its_text(tmp_path: Path, text: str, known: bool | None) -> None:
    (tmp_path / "plugin.py").write_text(text)
    assert learns(tmp_path / "plugin.py") is known
    assert learns(tmp_path / "absent.py") is None


SYSTEMCTL = """#!/bin/sh
[ "$1" = --user ] && { echo "no bus" >&2; exit 1; }
cat <<END
Id=numebot.service
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=enabled

Id=numebot-run.timer
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
END
"""


def test_units_are_those_that_systemd_knows(tmp_path: Path) -> None:
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    assert units(str(tmp_path), tmp_path) == [("numebot.service", "failed", "failed", "enabled")]
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
    assert units(str(tmp_path), tmp_path) is None
    assert units(str(tmp_path), tmp_path / "absent") is None
    shutil.rmtree(tmp_path)
    assert units(str(tmp_path), Path(os.sep)) is None
