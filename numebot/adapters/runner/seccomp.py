"""A seccomp filter: no sockets, and no change of the mode or the owner of files, which Landlock does not cover."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from numebot.adapters.runner.kernel import IS_LINUX, prctl

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_OFFSET_OF_NUMBER, _OFFSET_OF_ARCHITECTURE = 0, 4
_X32_NUMBERS = 0x40000000

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SOCKETS = {"x86_64": (41, 42, 49), "aarch64": (198, 203, 200)}
"""socket, connect, bind. socketpair stays: it connects a process with its own children only."""
_MODES = {"x86_64": (90, 91, 92, 93, 94, 260, 268, 452), "aarch64": (52, 53, 54, 55, 452)}
"""chmod and chown in all their forms: they seem to work and change nothing, so that copying a file does not fail."""
_ATTRIBUTES = {"x86_64": (188, 189, 190, 197, 198, 199), "aarch64": (5, 6, 7, 14, 15, 16)}
"""Extended attributes."""
_ALWAYS_REFUSED = (425,)
"""io_uring_setup: a second way to everything."""


def is_available() -> bool:
    """Whether this machine is one that the filter was written for."""
    return IS_LINUX and platform.machine() in _ARCHITECTURES


def restrict(*, network: bool, modes: bool) -> None:
    """Refuse sockets (without `network`) and changes of modes (without `modes`) from now on.

    This process must have given up new privileges. Raises: OSError.
    """
    machine = platform.machine()
    answers: dict[int, int] = dict.fromkeys(_ALWAYS_REFUSED, errno.EPERM)
    if not network:
        answers |= dict.fromkeys(_SOCKETS[machine], errno.EACCES)
    if not modes:
        answers |= dict.fromkeys(_MODES[machine], 0)
        answers |= dict.fromkeys(_ATTRIBUTES[machine], errno.EPERM)
    program = _program(_ARCHITECTURES[machine], answers)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = _Program(len(program) // 8, ctypes.addressof(buffer))
    prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(head))


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def _program(architecture: int, answers: dict[int, int]) -> bytes:
    refuse_all = _instruction(_RETURN, _ERROR | errno.EPERM)
    lines = [
        _instruction(_LOAD, _OFFSET_OF_ARCHITECTURE),
        _instruction(_EQUAL, architecture, 1, 0),
        refuse_all,  # system calls of another architecture have other numbers
        _instruction(_LOAD, _OFFSET_OF_NUMBER),
        _instruction(_AT_LEAST, _X32_NUMBERS, 0, 1),
        refuse_all,
    ]
    for number, error in answers.items():
        lines += [_instruction(_EQUAL, number, 0, 1), _instruction(_RETURN, _ERROR | error)]
    lines.append(_instruction(_RETURN, _ALLOW))
    return b"".join(lines)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
