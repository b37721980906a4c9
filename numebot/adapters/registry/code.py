"""Does a `model_code` exist? Answered from file names alone: importing a plugin would run it."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_FORMS = "allowed are package.module, path/to/file.py, or either followed by :ClassName"


@dataclass(frozen=True)
class CodeFinder:
    """Looks for plugins: paths from home or the private plugins folder, dotted names also among installed packages."""

    home: Path
    plugins_folder: Path | None = None

    def problem(self, code: str) -> str | None:
        """Return why no plugin can be loaded from `code`, as a sentence with a suggestion, or None."""
        place, colon, class_name = code.partition(":")
        if colon and not class_name.isidentifier():
            return f'"{class_name}" (after the colon) is not the name of a class; {_FORMS}.'
        if "\0" in place:
            return f"holds a NUL byte; {_FORMS}."
        if "/" in place or place.endswith(".py"):
            return self._file_problem(place, code)
        if not _DOTTED.fullmatch(place):
            return f'"{code}" is not a name; {_FORMS}.'
        if any(_module_exists(root, place) for root in (*self._own_roots(), *map(Path, sys.path))):
            return None
        tried = [root.joinpath(*place.split(".")).with_suffix(".py") for root in self._own_roots()]
        other = next((what for path in tried if (what := _instead_of_file(path))), None)
        if other:
            return f'"{code}" {other}; {_FORMS}.'
        return f'"{code}" does not exist.{self._meant(place, self._module_names(place))}'

    def file(self, code: str) -> Path | None:
        """Return the file that `code` names; None when there is none."""
        place = code.partition(":")[0]
        if "\0" in place:
            return None
        if place.endswith(".py"):
            tried = [root / Path(place) for root in self._own_roots()]
        else:
            roots = (*self._own_roots(), *map(Path, sys.path))
            bases = [root.joinpath(*place.split(".")) for root in roots]
            tried = [path for base in bases for path in (base.with_suffix(".py"), base / "__init__.py")]
        return next((path for path in tried if _is_file(path)), None)

    def _own_roots(self) -> tuple[Path, ...]:
        return (self.home,) if self.plugins_folder is None else (self.home, self.plugins_folder)

    def _file_problem(self, place: str, code: str) -> str | None:
        if not place.endswith(".py"):
            return f'"{code}" is not the path of a .py file; {_FORMS}.'
        tried = [root / Path(place) for root in self._own_roots()]
        if any(_is_file(path) for path in tried):
            return None
        other = next((what for path in tried if (what := _instead_of_file(path))), None)
        if other:
            return f'"{code}" {other}; {_FORMS}.'
        names = [str(Path(place).with_name(path.name)) for folder in tried for path in _python_files(folder.parent)]
        return f'"{code}" does not exist.{self._meant(place, names)}'

    def _module_names(self, place: str) -> Iterator[str]:
        """Yield the modules beside the wanted one, those in models/, and those of the plugins folder itself."""
        for package in dict.fromkeys((place.rpartition(".")[0], "models")):
            for root in (*self._own_roots(), *map(Path, sys.path)) if package else ():
                for path in _python_files(root.joinpath(*package.split("."))):
                    yield f"{package}.{path.stem}"
        if self.plugins_folder is not None:
            yield from (path.stem for path in _python_files(self.plugins_folder))

    def _meant(self, wanted: str, names: Iterator[str] | list[str]) -> str:
        near = difflib.get_close_matches(wanted, sorted(set(names)), n=1, cutoff=0.6)
        if near:
            return f' Did you mean "{near[0]}"?'
        return f" It was looked for in {' and '.join(map(str, self._own_roots()))}."


def _module_exists(root: Path, dotted: str) -> bool:
    path = root.joinpath(*dotted.split("."))
    return _is_file(path.with_suffix(".py")) or _is_file(path / "__init__.py")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that is not ours to enter
        return False


def _instead_of_file(path: Path) -> str | None:
    """Return what stands where a plugin's file should be, as the rest of a sentence; None where nothing does."""
    try:
        if path.is_dir():
            return f"is a folder ({path})"
        if path.exists():
            return f"is neither a file nor a folder ({path})"
        if path.is_symlink():
            return f"is a link that leads to nothing, or back to itself ({path})"
    except PermissionError:
        return f"lies where this user may not look ({path})"
    except OSError:
        return None
    return None


def _python_files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.glob("*.py") if path.name != "__init__.py" and _is_file(path)]
    except OSError:
        return []
