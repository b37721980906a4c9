"""The four places a setting can come from. Each is read alone, so that every value keeps its origin."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.variables import Variable, parse_variables

from numebot.adapters.settings.dotenv_file import DotenvFile, Entry, read_dotenv_file
from numebot.adapters.settings.home import SETTINGS_FILE, short_name
from numebot.adapters.settings.names import (
    KEYS,
    PUBLIC_NAMES,
    RESERVED,
    SECRET_NAMES,
    SECTIONS,
    VARIABLES,
    did_you_mean,
    variable_meant,
)
from numebot.adapters.settings.textfile import read_text_file
from numebot.core.errors import ConfigError

_TOML_HEADER = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]")
_TOML_KEY = re.compile(r"\s*([A-Za-z0-9_\-\"'. ]+?)\s*=")


@dataclass(frozen=True)
class Found:
    """A value for a setting. `origin` is shown in tables, `where` opens a message about the value."""

    key: str
    value: object
    origin: str
    where: str


@dataclass(frozen=True)
class Source:
    """Everything one place holds, the mistakes included."""

    found: tuple[Found, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def settings_file(home: Path, environ: Mapping[str, str]) -> Source:
    """Read config/numebot.toml, or the file that NUMEBOT_CONFIG names; without that variable it may be missing."""
    wanted = environ.get("NUMEBOT_CONFIG", "")
    path = home / (Path(wanted).expanduser() if wanted else SETTINGS_FILE)
    name = short_name(path, home)
    try:
        file = read_text_file(path, name)
        if file is None:
            missing = f'environment, NUMEBOT_CONFIG: "{wanted}" does not exist (looked for {path}).'
            return Source(problems=(missing,) if wanted else ())
        content = tomllib.loads(file.text)
    except ConfigError as error:
        return Source(problems=error.problems)
    except tomllib.TOMLDecodeError as error:
        return Source(problems=(_toml_mistake(str(error), name),))
    return _from_toml(content, _toml_lines(file.text), name)


def _toml_mistake(message: str, name: str) -> str:
    position = re.search(r"\(at line (\d+), column (\d+)\)", message)
    where = f"{name} line {position[1]}, column {position[2]}" if position else name
    what = message[: position.start()].strip() if position else message
    return f'{where}: this is not TOML: {what}. Texts need quotes (key = "text"), one key a line.'


def _toml_lines(text: str) -> dict[str, int]:
    """Return dotted name → line for each key and section; tomllib does not keep where it found something."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TOML_HEADER.match(line):
            section = _bare(header[1])
            lines.setdefault(section, number)
        elif key := _TOML_KEY.match(line):
            lines.setdefault(f"{section}.{_bare(key[1])}".lstrip("."), number)
    return lines


def _bare(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _from_toml(content: Mapping[str, object], lines: Mapping[str, int], name: str) -> Source:
    found: list[Found] = []
    problems: list[str] = []
    for section, keys in content.items():
        where = f"{name} line {lines.get(section, '?')}"
        if not isinstance(keys, dict):
            problems.append(f"{where}, {section}: {_outside_section(section)}")
        elif section not in SECTIONS:
            problems.append(f"{where}: there is no section [{section}].{_section_meant(section)}")
        else:
            for key, value in keys.items():
                origin = f"{name} line {lines.get(f'{section}.{key}', lines.get(section, '?'))}"
                if key in SECTIONS[section]:
                    found.append(Found(f"{section}.{key}", value, origin, f"{origin}, [{section}] {key}"))
                else:
                    problems.append(f"{origin}, [{section}] {key}: there is no such setting.{_key_meant(section, key)}")
    return Source(tuple(found), tuple(problems))


def _outside_section(key: str) -> str:
    if key in SECTIONS:
        return f"this is a section; write [{key}] in a line of its own, and its keys below."
    homes = [f"[{section}]" for section, keys in SECTIONS.items() if key in keys]
    return f"a setting must stand below its section{': ' + ' or '.join(homes) if homes else ''}."


def _section_meant(section: str) -> str:
    names = [f"[{name}]" for name in SECTIONS]
    return did_you_mean(f"[{section}]", names, otherwise=f" The sections are {', '.join(names)}.")


def _key_meant(section: str, key: str) -> str:
    for other, keys in SECTIONS.items():
        if key in keys:
            return f" It belongs below [{other}]."
    return did_you_mean(key, SECTIONS[section], otherwise=f" [{section}] has {', '.join(SECTIONS[section])}.")


def dotenv_file(home: Path, environ: Mapping[str, str]) -> Source:
    """Read the settings in .env; the API key in there is left to the reader of secrets."""
    try:
        file = read_dotenv_file(home / ".env", ".env")
    except ConfigError as error:
        return Source(problems=error.problems)
    return Source() if file is None else _from_entries(file, environ)


def _from_entries(file: DotenvFile, environ: Mapping[str, str]) -> Source:
    found: list[Found] = []
    problems = list(file.problems)
    warnings: list[str] = []
    earlier: dict[str, str] = {}
    for entry in file.entries:
        origin = f"{file.name} line {entry.line}"
        where = f"{origin}, {entry.name}"
        if entry.name in VARIABLES and entry.value is None:
            problems.append(f"{where}: has no value; write {entry.name}=value.")
        elif entry.name in VARIABLES:
            value, unknown = _filled_in(entry.value or "", {**earlier, **environ})
            problems.extend(f"{where}: ${{{name}}} is not set, here or in the environment." for name in unknown)
            if value:  # a name with nothing behind it, as in a copied example, is not set
                found.append(Found(VARIABLES[entry.name], value, origin, where))
        elif entry.name in RESERVED:
            warnings.append(f"{where}: has no effect in a file; set it in the environment.")
        elif entry.name.startswith("NUMEBOT_"):
            problems.append(f"{where}: there is no such setting.{variable_meant(entry.name)}")
        else:
            warnings.extend(_near_miss(entry, where))
        earlier[entry.name] = entry.value or ""
    return Source(tuple(found), tuple(problems), tuple(warnings + _set_twice(found)))


def _filled_in(value: str, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """Replace ${NAME} and ${NAME:-default}; return the text and the names that are not set."""
    atoms = list(parse_variables(value))
    unknown = [
        atom.name
        for atom in atoms
        if isinstance(atom, Variable) and atom.default is None and atom.name not in variables
    ]
    return "".join(atom.resolve(variables) for atom in atoms), unknown


def _near_miss(entry: Entry, where: str) -> Iterator[str]:
    """Warn of names that are nearly ours: .env may hold the variables of other programs too."""
    ours = [*VARIABLES, *PUBLIC_NAMES, *SECRET_NAMES]
    if entry.name not in ours and (near := difflib.get_close_matches(entry.name, ours, n=1, cutoff=0.85)):
        yield f"{where}: is not a name of numebot and is ignored. Did you mean {near[0]}?"


def _set_twice(found: list[Found]) -> list[str]:
    first: dict[str, Found] = {}
    warnings = []
    for one in found:
        before = first.setdefault(one.key, one)
        if before is not one:
            warnings.append(f"{one.where}: stands already in {before.origin}; the later line counts.")
    return warnings


def environment(environ: Mapping[str, str]) -> Source:
    """Read the settings in the environment. A variable with nothing in it is not set."""
    found: list[Found] = []
    problems: list[str] = []
    for name, value in environ.items():
        where = f"environment, {name}"
        if name in VARIABLES and value:
            found.append(Found(VARIABLES[name], value, f"environment {name}", where))
        elif name.startswith("NUMEBOT_") and name not in VARIABLES and name not in RESERVED:
            problems.append(f"{where}: there is no such setting.{variable_meant(name)}")
    return Source(tuple(found), tuple(problems))


def command_line(overrides: Mapping[str, object]) -> Source:
    """Take the options of the command, by dotted key; None is an option that was not given."""
    given = {key: value for key, value in overrides.items() if value is not None}
    found = [Found(key, value, "command line", f"command line, {key}") for key, value in given.items() if key in KEYS]
    problems = [
        f"command line, {key}: there is no such setting.{did_you_mean(key, KEYS)}" for key in given if key not in KEYS
    ]
    return Source(tuple(found), tuple(problems))
