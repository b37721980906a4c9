"""What a pickle tells of the Python that wrote it, found without running a line of it."""

from __future__ import annotations

import dis
import importlib.metadata
import importlib.util
import pickletools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"

_COUNTS_BEFORE_CODE = 6
"""A code object is rebuilt from six whole numbers, then its bytes."""
_MOST_CODES = 50
_PYTHON_IN_A_PATH = re.compile(r"python(3\.\d+)/")


@dataclass(frozen=True)
class Origin:
    """What was found: modules that it imports, its functions' bytecode, versions that it names.

    `python` is what a path inside names, "" where none does; `scikit_learn` likewise.
    """

    modules: frozenset[str]
    codes: tuple[bytes, ...]
    scikit_learn: str = ""
    python: str = ""

    def problems(self, *, stated_python: str = "") -> list[str]:
        """Return what would go wrong here, each in a sentence that says what to do."""
        return [*self._python_problems(stated_python), *self._missing_modules(), *self._library_problems()]

    def _python_problems(self, stated: str) -> Iterator[str]:
        if stated:
            writer = f"Python {stated}" if stated != OURS else ""
        else:
            is_foreign = any(map(is_of_another_python, self.codes))
            named = self.python if self.python != OURS else ""
            writer = f"Python {named}" if is_foreign and named else "another version of Python" if is_foreign else ""
        if writer:
            yield (
                f"It was written by {writer}, and this is Python {OURS}: a pickled function runs in the version that"
                f" wrote it. Pickle it again with Python {OURS}, or run it with its own Python through models.command."
            )

    def _missing_modules(self) -> Iterator[str]:
        packages = sorted({name.partition(".")[0] for name in self.modules} - {"__main__"})
        missing = [name for name in packages if not _is_installed(name)]
        if missing:
            yield (
                f"It imports {', '.join(missing)}, not installed here. Install it beside numebot"
                f" ({sys.executable} -m pip install …), or pickle the function without it."
            )

    def _library_problems(self) -> Iterator[str]:
        if not self.scikit_learn:
            return
        ours = importlib.metadata.version("scikit-learn")
        if _series(ours) != _series(self.scikit_learn):
            yield (
                f"Its model was fitted with scikit-learn {self.scikit_learn}, and {ours} is installed, which promises"
                " nothing for it. Pickle it again with that version, or say accept_versions in its parameters."
            )


def origin_of(content: bytes) -> Origin:
    """Read a pickle as data. Raises: ValueError when it is none."""
    reader = _Reader()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            reader.take(opcode.name, argument)
    except (ValueError, IndexError, KeyError, OverflowError, EOFError) as error:
        raise ValueError(f"no pickle, or a broken one ({error})") from error
    return Origin(frozenset(reader.modules), tuple(reader.codes), reader.scikit_learn, reader.python)


def is_of_another_python(code: bytes) -> bool:
    """Whether bytecode cannot be of this version of Python: numbers that it does not use, or another beginning.

    False proves nothing: versions share most of their numbers.
    """
    operations = [dis.opname[number] for number in code[::2]]
    if any(name.startswith("<") for name in operations):
        return True
    for name in operations:
        if name == "RESUME":
            return False
        if name not in {"CACHE", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP", "EXTENDED_ARG"}:
            break
    return bool(operations)


class _Reader:
    """Follows the strings of a pickle far enough to know which names it looks up."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.codes: list[bytes] = []
        self.scikit_learn = self.python = ""
        self._memo: dict[int, object] = {}
        self._strings = ("", "")
        self._last: object = None
        self._counts = 0

    def take(self, name: str, argument: object) -> None:
        if name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            self._memo[len(self._memo) if name == "MEMOIZE" else _whole(argument)] = self._last
            return
        if name in ("BINGET", "LONG_BINGET", "GET"):
            argument = self._memo.get(_whole(argument))
        if isinstance(argument, str) and name == "GLOBAL":
            self.modules.add(argument.partition(" ")[0])
        elif isinstance(argument, str):
            self._take_text(argument)
        elif name == "STACK_GLOBAL":
            self.modules.add(self._strings[0])
        elif isinstance(argument, bytes) and self._counts >= _COUNTS_BEFORE_CODE and len(self.codes) < _MOST_CODES:
            self.codes.append(argument)
        is_count = isinstance(argument, int) and name.startswith(("BININT", "INT", "LONG"))
        self._counts = self._counts + 1 if is_count else 0
        self._last = argument

    def _take_text(self, text: str) -> None:
        if self._strings[1] == "_sklearn_version":
            self.scikit_learn = text
        if found := _PYTHON_IN_A_PATH.search(text):
            self.python = found[1]
        self._strings = (self._strings[1], text)


def _whole(argument: object) -> int:
    return int(str(argument))


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _series(version: str) -> list[str]:
    return version.split(".")[:2]
