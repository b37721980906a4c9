"""A node folder of numerai-cli becomes a model: an environment of its own from its requirements, and a row."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from numebot.adapters.registry import Registry
from numebot.core.errors import ConfigError, LocalTrouble
from numebot.core.words import plain
from numebot.durable import write_whole
from numebot.importing.rows import Place, add_new_rows, row_of

CODE = "models.numerai_node"
FOLDER = "nodes"
SCRIPT = "predict.py"
_MARK = "installed.sha256"
_WITHIN_S = 3600.0


@dataclass(frozen=True)
class ImportedNode:
    """What became of a node: its interpreter, and whether its row is new."""

    python: Path
    is_new: bool


def import_node(
    folder: Path, model: str, *, place: Place, registry: Registry, model_id: str = "", python: str = ""
) -> ImportedNode:
    """Make an environment for a node and add its row; doing it again installs only what changed.

    `python` is the interpreter that the environment is made from; without it, numebot's own version.
    Raises: ConfigError for a folder that is no node, requirements that cannot be installed, a name that is taken.
    """
    if not (folder / SCRIPT).is_file():
        raise ConfigError(
            f"{folder}: has no {SCRIPT}. For other programs there is models.command; nothing was changed."
        )
    environment = place.data_folder / FOLDER / model / "venv"
    interpreter = environment / "bin" / "python"
    source = python or sys.executable
    prefix = _answer(
        [source, "-c", "import sys; print(sys.base_prefix)"], f"{source}: is no Python that can be used"
    ).strip()
    readable = ":".join(dict.fromkeys((str(folder), str(environment), prefix)))
    parameters = {"folder": str(folder), "python": str(interpreter)} | ({"model_id": model_id} if model_id else {})
    row = row_of(model, CODE, parameters, description=f"node {folder.name} of numerai-cli", readable=readable)
    added = add_new_rows([row], registry, place)
    _make(environment, source, folder / "requirements.txt")
    return ImportedNode(interpreter, bool(added))


def _make(environment: Path, source: str, requirements: Path) -> None:
    content = requirements.read_bytes() if requirements.is_file() else b""
    mark, digest = environment / _MARK, hashlib.sha256(content + source.encode()).hexdigest()
    if mark.is_file() and mark.read_text() == digest:
        return
    _answer([source, "-m", "venv", "--clear", str(environment)], f"{environment}: could not be made")
    if content.strip():
        python = str(environment / "bin" / "python")
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q", "-r", str(requirements)]
        hint = (
            "its row is there; correct the file, or name the Python that it was written for with --python, and repeat"
        )
        _answer(command, f"{requirements}: could not be installed ({hint})")
    write_whole(mark, digest)


def _answer(command: list[str], trouble: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    except OSError as error:
        raise ConfigError(f"{trouble}: {error.strerror}.") from error
    except subprocess.TimeoutExpired as error:
        raise LocalTrouble(f"{trouble}: it took more than {_WITHIN_S / 60:.0f} minutes.") from error
    if done.returncode:
        raise ConfigError(f"{trouble}: {plain((done.stderr or done.stdout).strip()[-800:])}")
    return done.stdout
