"""What a plugin's process may touch: it reads its libraries and its own code, and writes to its scratch folder.

Landlock knows no exceptions below an allowed folder, so secrets are kept out by allowing nothing above them. A folder
that holds the owner's settings is allowed by its Python files and by its subfolders that hold some.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from numebot.adapters.runner import landlock, seccomp, semaphores
from numebot.adapters.runner.kernel import drop_capabilities, forbid_new_privileges
from numebot.adapters.runner.requests import Request

_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/nix/store", "/gnu/store",
    "/opt/cuda", "/opt/rocm", "/opt/intel",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/etc/localtime", "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
    "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/resolv.conf", "/etc/services", "/etc/protocols",
    "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki", "/etc/ca-certificates", "/etc/OpenCL", "/etc/mime.types",
    "/proc/self", "/proc/sys", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime",
    "/proc/version", "/proc/filesystems", "/proc/driver",
    "/sys/devices", "/sys/fs/cgroup", "/sys/bus/pci", "/sys/class", "/sys/module",
)  # fmt: skip
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_PROCESSORS = ("nvidia*", "kfd", "dri")
"""Graphics processors below /dev."""
_OWNERS_FILES = (".secret", ".env", "model_configs.csv", "numebot.db", ".git", ".ssh")
"""A folder with one of these holds more than plugins."""


def enter(request: Request) -> None:
    """Shut this process in, as far as the kernel can. Raises: OSError."""
    drop_capabilities()
    forbid_new_privileges()
    has_files = landlock.abi() > 0
    if has_files:
        landlock.restrict(_rules(request), network=request.network)
        semaphores.set_up(request.scratch)  # /dev/shm is closed now
    if seccomp.is_available():
        seccomp.restrict(network=request.network, modes=not has_files)


def isolation_notes() -> tuple[str, ...]:
    """Return what this machine cannot hold plugins back from, each in a sentence; empty when it can do it all."""
    notes = []
    version = landlock.abi()
    if version == 0:
        notes.append(
            "This kernel has no Landlock (Linux 5.13 with lsm=landlock): plugins can read and write every file that"
            " this user can, .secret included."
        )
    elif version < 6:
        notes.append("This kernel's Landlock is older than Linux 6.12: a plugin can end other processes of this user.")
    if not seccomp.is_available() and version < 4:
        notes.append("Plugins can open network connections: neither Landlock 4 nor our seccomp filter is there.")
    return tuple(notes)


def allowed_below(folder: Path, *, is_private: bool) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return (what may be read, what may be listed) of a folder in which plugins lie.

    A private folder of plugins is read wholly, unless the owner's settings lie in it.
    """
    if is_private and not any((folder / name).exists() for name in _OWNERS_FILES):
        return (folder,), ()
    return tuple(_python_below(folder)), (folder,)


def _python_below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.name.startswith("."):
            continue
        if (entry.suffix == ".py" and entry.is_file()) or (entry.is_dir() and next(entry.glob("*.py"), None)):
            yield entry


def _rules(request: Request) -> Iterator[tuple[Path, int]]:
    for path in (*_SYSTEM, *_python_places()):
        yield Path(path), landlock.READ
    for path in _devices():
        yield path, landlock.WRITE_DEVICE | landlock.READ
    for path in request.readable:
        yield path, landlock.READ
    for path in request.listed:
        yield path, landlock.LIST
    yield request.scratch, landlock.EVERYTHING


def _devices() -> Iterator[Path]:
    yield from map(Path, _DEVICES)
    for pattern in _PROCESSORS:
        yield from Path("/dev").glob(pattern)


def _python_places() -> Sequence[str | Path]:
    """Return where Python and its libraries lie; of a source folder on the path, only numebot and its models."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    libraries = [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages", ".zip"))]
    ours = Path(__file__).resolve().parents[2]
    return (*sorted(prefixes), *libraries, ours, ours.parent / "models", os.path.realpath(sys.executable))
