"""Reading faults from a TOML file or a request: all problems at once, each with what is allowed.

A file holds one table per fault:

    [[fault]]
    operation = "createSubmission"   # a GraphQL root, "put", "get", "get-range" or "*"
    kind = "reset-after-commit"
    times = 1
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from pathlib import Path

from numebot.core.errors import ConfigError
from numebot.practice.faults.kinds import ANY, API_KINDS, GET, GET_RANGE, PUT, STORAGE_KINDS, Fault, Kind
from numebot.practice.faults.switchboard import Switched
from numebot.practice.spelling import camel_case

TABLE = "fault"
"""The name of the list of faults in a file and in a request."""

_WHOLE = frozenset({"times", "skip", "status"})
_NUMBERS = frozenset({"probability", "from_s", "until_s", "seconds", "bytes_per_s"})
_SETTINGS = tuple(each.name for each in fields(Fault))
_LIMITS: Mapping[str, tuple[float, float, str]] = {
    "times": (1, 1e9, "1 or more"),
    "skip": (0, 1e9, "0 or more"),
    "status": (200, 599, "200 to 599"),
    "probability": (0, 1, "0 to 1"),
    "from_s": (0, 1e9, "0 or more"),
    "until_s": (0, 1e9, "0 or more"),
    "seconds": (-1e9, 1e9, "a number of seconds (negative only for clock-skew)"),
    "bytes_per_s": (0.1, 1e12, "0.1 or more"),
}


def read_faults(path: Path, *, operations: Collection[str]) -> tuple[Fault, ...]:
    """Read a file of faults; `operations` are the GraphQL roots there are. Raises: ConfigError with every problem."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"--faults {path}: cannot be read ({error.strerror}). Nothing was started; name a TOML file."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--faults {path}: not TOML ({error}). Nothing was started.") from error
    return parse_faults(content, operations=operations, where=str(path))


def parse_faults(content: object, *, operations: Collection[str], where: str) -> tuple[Fault, ...]:
    """Turn `{"fault": [{…}, …]}` into faults. Raises: ConfigError with every problem; then none of them is used."""
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: a list of tables named [[{TABLE}]] is expected.")
    problems = [f'{where}: "{key}" is not known here;{_hint(str(key), [TABLE])}' for key in content if key != TABLE]
    tables = content.get(TABLE, [])
    if not isinstance(tables, list):
        raise ConfigError(f"{where}: [[{TABLE}]] must be a list of tables, with double brackets.")
    faults = []
    for number, table in enumerate(tables, start=1):
        found, wrong = _fault(table, operations)
        problems += [f"{where}, fault {number}: {problem}" for problem in wrong]
        if found is not None:
            faults.append(found)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"{where}: {count} in the faults; none of them is switched on.", problems)
    return tuple(faults)


def as_table(switched: Switched) -> dict[str, object]:
    """Return a fault as it would stand in a file, plus how often it was asked (`seen`) and struck (`struck`)."""
    defaults = asdict(Fault(switched.fault.kind))
    chosen = {name: value for name, value in asdict(switched.fault).items() if value != defaults[name]}
    return {
        "kind": switched.fault.kind.value,
        "operation": switched.fault.operation,
        **chosen,
        "seen": switched.seen,
        "struck": switched.struck,
    }


def _fault(table: object, operations: Collection[str]) -> tuple[Fault | None, list[str]]:
    if not isinstance(table, Mapping):
        return None, ["must be a table with at least a kind."]
    problems = [f'"{key}" is not a setting of a fault;{_hint(key, _SETTINGS)}' for key in table if key not in _SETTINGS]
    kind = table.get("kind")
    if kind not in [*Kind]:
        given = "is missing" if kind is None else f'"{kind}" does not exist'
        problems.append(f"kind: {given};{_hint(str(kind), [*Kind])}")
    operation = table.get("operation", ANY)
    allowed = [ANY, GET, GET_RANGE, PUT, *sorted(operations)]
    if not isinstance(operation, str) or (operation := camel_case(operation)) not in allowed:
        problems.append(f'operation: "{operation}" does not exist;{_hint(str(operation), allowed)}')
    problems += _wrong_values(table)
    if problems:
        return None, problems
    settings = {key: tuple(value) if key == "messages" else value for key, value in table.items()}
    fault = Fault(**{**settings, "kind": Kind(str(kind)), "operation": operation})
    return fault, _wrong_together(fault)


def _wrong_values(table: Mapping[str, object]) -> list[str]:
    problems = []
    for key, value in table.items():
        if key in _LIMITS:
            lowest, highest, words = _LIMITS[key]
            is_number = isinstance(value, int) if key in _WHOLE else isinstance(value, int | float)
            if not is_number or isinstance(value, bool) or not lowest <= float(str(value)) <= highest:
                whole = "a whole number, " if key in _WHOLE else ""
                problems.append(f"{key}: {value!r} is not allowed; it must be {whole}{words}.")
        elif key == "messages":
            if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
                problems.append("messages: must be a list of texts.")
        elif key in _SETTINGS and not isinstance(value, str):
            problems.append(f"{key}: {value!r} is not a text.")
    return problems


def _wrong_together(fault: Fault) -> list[str]:
    """Say what cannot be combined: such a fault would never strike, and a test would prove nothing."""
    problems = []
    place = STORAGE_KINDS.get(fault.kind)
    if place is not None and fault.operation not in (ANY, place, *([GET] if place == GET_RANGE else [])):
        problems.append(f'{fault.kind} can only happen to the operation "{place}", not to "{fault.operation}".')
    if fault.kind in API_KINDS and fault.operation in (GET, GET_RANGE, PUT):
        problems.append(f'{fault.kind} can only happen to the API, not to the storage operation "{fault.operation}".')
    if fault.kind is not Kind.CLOCK_SKEW and fault.seconds is not None and fault.seconds < 0:
        problems.append(f"seconds: {fault.seconds:g} is negative, which only clock-skew can be.")
    if fault.until_s is not None and fault.until_s <= fault.from_s:
        problems.append(f"until_s {fault.until_s:g} is not after from_s {fault.from_s:g}: it would never strike.")
    return problems


def _hint(word: str, allowed: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(allowed), n=1)
    if close:
        return f' did you mean "{close[0]}"?'
    shown = sorted(allowed)[:40]
    return f" allowed are {', '.join(shown)}{' …' if len(allowed) > len(shown) else ''}."
