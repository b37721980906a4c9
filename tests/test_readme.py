from __future__ import annotations

import re
from pathlib import Path

import numebot.plugin
from numebot.cli import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_readme_and_no_other() -> None:
    told = set(re.findall(r"^\| `numebot (\w+)", README, re.MULTILINE))
    assert told == set(COMMANDS)


def test_the_example_plugin_is_the_one_of_the_guide() -> None:
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "(Model)" in block]
    guide = re.sub(r"^ {4}", "", numebot.plugin.__doc__ or "", flags=re.MULTILINE)
    assert example.strip() in guide


def test_the_files_that_it_names_are_there() -> None:
    named = set(re.findall(r"`((?:scripts|config|numebot|models)/[\w./]+\.?\w*)`", README))
    assert named
    for name in named:
        assert (ROOT / name).exists(), name


def test_its_scripts_can_be_called() -> None:
    for script in ("run", "test", "check", "setup", "lock", "machine-tools", "install-service"):
        assert (ROOT / "scripts" / script).stat().st_mode & 0o111, script
