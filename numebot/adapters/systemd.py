"""What numebot and systemd say to each other: ready, alive, stopping; and a lock that keeps the machine awake.

Without systemd everything here does nothing. Source: the manuals sd_notify(3) and systemd-inhibit(1).
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
from collections.abc import MutableMapping
from contextlib import suppress

logger = logging.getLogger(__name__)

_OURS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_SEND_TIMEOUT_S = 1.0  # a full socket may delay a wake-up by this and no more
_HELD = b"held\n"
_STANDARD_PATH = "/usr/local/bin:/usr/bin:/bin"


class Notifier:
    """Tells systemd how the daemon is. No call ever fails; without an address each does nothing."""

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        self._address = address
        self.watchdog_s = watchdog_s
        """How often systemd wants to hear watchdog(), in seconds; None when it does not watch this process."""

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Notifier:
        """Take what systemd put into the environment out of it: children must not speak in the daemon's name."""
        address, period, pid = (environ.pop(name, "") for name in _OURS)
        is_watched = period.isdecimal() and int(period) > 0 and pid in ("", str(os.getpid()))
        return cls(address or None, int(period) / 1_000_000 if is_watched else None)

    def ready(self, status: str) -> None:
        """Say that the start is done. Units that wait for numebot go on."""
        self.send("READY=1", _status(status))

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self.send(_status(text))

    def watchdog(self, status: str) -> None:
        """Say that a wake-up was finished. When this stays out for WatchdogSec=, systemd starts the daemon again."""
        self.send("WATCHDOG=1", _status(status))

    def stopping(self, status: str) -> None:
        """Say that the daemon is on its way out."""
        self.send("STOPPING=1", _status(status))

    def send(self, *lines: str) -> None:
        """Send one message of NAME=value lines."""
        if self._address is None:
            return
        # An abstract name is written with an @ and called with a zero byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # OSError: nobody listens any more, a name too long, a full queue. None of them is a reason to miss a round.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own_socket:
            own_socket.settimeout(_SEND_TIMEOUT_S)
            own_socket.connect(address)
            own_socket.sendall("\n".join(lines).encode(errors="replace"))


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())


class KeepAwake:
    """A lock against sleep, held by a helper process that ends with this one, even after kill -9. For one thread."""

    def __init__(self, reason: str, path: str = _STANDARD_PATH, *, timeout_s: float = 3.0) -> None:
        """Hold nothing yet. The reason is what `systemd-inhibit --list` shows; programs are looked for on the path."""
        self._reason = reason
        self._path = path
        self._timeout_s = timeout_s
        self._helper: subprocess.Popen[bytes] | None = None
        self._has_complained = False

    @property
    def is_held(self) -> bool:
        """Whether the machine is kept awake at this moment."""
        return self._helper is not None and self._helper.poll() is None

    def hold(self) -> None:
        """Keep the machine awake until release(). Where that cannot be had it is said once, and the work goes on."""
        if self.is_held:
            return
        self.release()
        try:
            self._helper = self._start()
        except OSError as error:
            self._complain(str(error))
            return
        said = _first_words(self._helper, self._timeout_s)
        if said != _HELD:
            self._complain((said + self._end(timeout_s=0)).decode(errors="replace"))

    def release(self) -> None:
        """Let the machine sleep again."""
        if self._helper is not None:
            self._end(self._timeout_s)

    def _start(self) -> subprocess.Popen[bytes]:
        command = ["systemd-inhibit", "--what=sleep:idle", "--who=numebot", f"--why={self._reason}", "--mode=block"]
        # cat ends when the other end of its standard input is closed, which the kernel does however we end.
        return subprocess.Popen(
            [*command, "sh", "-c", "echo held && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": self._path, "LC_ALL": "C"},
            start_new_session=True,  # Ctrl-C in a terminal is for us alone
        )

    def _end(self, timeout_s: float) -> bytes:
        """End the helper and return its last words."""
        assert self._helper is not None
        helper, self._helper = self._helper, None
        try:
            words, _ = helper.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(helper.pid, signal.SIGKILL)
            words, _ = helper.communicate()
        return words

    def _complain(self, words: str) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.info(
                "nothing keeps this machine from falling asleep while a round is open (systemd-inhibit: %s)",
                " ".join(words.split()) or "no answer",
            )


def _first_words(helper: subprocess.Popen[bytes], timeout_s: float) -> bytes:
    assert helper.stdout is not None
    is_readable, _, _ = select.select([helper.stdout], [], [], timeout_s)
    return os.read(helper.stdout.fileno(), 4096) if is_readable else b""
