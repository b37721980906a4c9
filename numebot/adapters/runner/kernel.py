"""Calls into the Linux kernel that Python has no function for. Elsewhere they do nothing."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from typing import Final

IS_LINUX: Final = platform.system() == "Linux"

_SET_DEATH_SIGNAL = 1
_SET_DUMPABLE = 4
_CAPABILITY_BOUND_DROP = 24
_SET_CHILD_SUBREAPER = 36
_SET_NO_NEW_PRIVILEGES = 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

_KEPT_CAPABILITIES = (1, 2, 3)
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER: files of other owners, which Landlock bounds."""


def prctl(option: int, *arguments: int) -> None:
    """Change this process. Raises: OSError."""
    if IS_LINUX:
        longs = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)][:4]
        _checked(_library().prctl(ctypes.c_int(option), *longs))


def syscall(number: int, *arguments: object) -> int:
    """Make a system call by its number. Raises: OSError."""
    return _checked(_library().syscall(ctypes.c_long(number), *arguments))


def forbid_looking_inside() -> None:
    """Keep processes of the same user from reading the environment and the memory of this one."""
    prctl(_SET_DUMPABLE, 0)


def end_with_parent(number: int) -> None:
    """Ask for a signal when the thread that made this process ends."""
    prctl(_SET_DEATH_SIGNAL, number)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, also of those in sessions of their own."""
    prctl(_SET_CHILD_SUBREAPER, 1)


def forbid_new_privileges() -> None:
    """Make set-user-id programs run as this user; Landlock and seccomp ask for that."""
    prctl(_SET_NO_NEW_PRIVILEGES, 1)


def drop_capabilities() -> None:
    """Give up what root may do beyond files: other processes' memory, mounts, networks. For others nothing changes."""
    number = _CAPSET.get(platform.machine())
    if not IS_LINUX or os.geteuid() != 0 or number is None:
        return
    for capability in range(64):
        if capability not in _KEPT_CAPABILITIES:
            try:
                prctl(_CAPABILITY_BOUND_DROP, capability)
            except OSError:  # this kernel knows no more of them, or they are gone already
                break
    kept = sum(1 << capability for capability in _KEPT_CAPABILITIES)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)
    try:
        syscall(number, ctypes.byref(header), ctypes.byref(data))
    except OSError:  # it lacked some of those that are kept: then it has few
        syscall(number, ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
