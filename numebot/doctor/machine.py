"""Python and its libraries, memory, and what plugins can be held back from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from numebot.core.diagnosis import Point, ok, problem, unknown, warning
from numebot.core.features import listed
from numebot.core.types import ModelConfig

OLDEST_PYTHON = (3, 11)


def python_point(version: tuple[int, ...], *, optimises: bool) -> Point:
    """Judge the Python that runs numebot."""
    shown = ".".join(map(str, version[:3]))
    if version[:2] < OLDEST_PYTHON:
        return problem("python", f"Python {shown} is too old.", "Install Python 3.11 or newer and remove .venv/.")
    if optimises:
        words = "Python runs with -O, which removes checks inside libraries; numebot refuses to start like that."
        return problem("python", words, "Unset PYTHONOPTIMIZE and start it without -O.")
    return ok("python", f"Python {shown}")


def libraries_point(locked: Mapping[str, Collection[str]], installed: Mapping[str, str]) -> Point:
    """Compare what is installed with what the lock allows: the versions of each library, none for any."""
    if not locked:
        return unknown("libraries", "there is no requirements.txt beside this numebot to compare with.")
    absent = [name for name, versions in locked.items() if versions and name not in installed]
    other = [
        f"{name} {installed[name]} (locked: {', '.join(sorted(versions))})"
        for name, versions in locked.items()
        if versions and name in installed and installed[name] not in versions
    ]
    advice = "Type: rm -f .venv/.installed-* && scripts/setup"
    if absent:
        return problem("libraries", f"{len(absent)} of {len(locked)} are not installed: {listed(absent)}.", advice)
    if other:
        words = f"{len(other)} of {len(locked)} have another version than the tested one: {listed(other)}."
        return warning("libraries", words, advice)
    return ok("libraries", f"{len(locked)} libraries as in requirements.txt")


def memory_point(machine_mb: float, models: Sequence[ModelConfig], default_limit_mb: int) -> Point:
    """Compare the limits of the models with the memory that there is; both in MB of 2**20 bytes."""
    if machine_mb <= 0:
        return unknown("memory", "this machine does not say how much memory it has.")
    wide = [one.name for one in models if (one.memory_limit_mb or default_limit_mb) > machine_mb]
    if wide:
        words = f"{machine_mb:,.0f} MB in all, less than the limit of {len(wide)} models: {listed(wide)}."
        advice = "Lower memory_limit_mb in their rows, or [models] default_memory_limit_mb, so that one model cannot"
        return warning("memory", words, f"{advice} bring down the machine.")
    return ok("memory", f"{machine_mb:,.0f} MB in all, enough for the limit of any model")


def isolation_point(notes: Sequence[str]) -> Point:
    """Judge what plugins cannot be held back from here."""
    if not notes:
        return ok("isolation", "plugins are held by Landlock and seccomp: no secrets, no network, no other's files")
    return warning("isolation", " ".join(notes), "Run only plugins that you trust, or use a newer Linux.")
