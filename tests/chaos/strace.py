"""Programs under strace: run one, and read what it asked of the kernel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FILES = (
    "open openat creat close write pwrite64 writev pwritev pwritev2 fsync fdatasync sync_file_range syncfs sync "
    "rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat link linkat symlink symlinkat ftruncate truncate "
    "lseek fallocate copy_file_range sendfile splice mmap"
)
NUMEBOT_RUN = [sys.executable, "-m", "numebot", "run"]
SOCKETS = "sendto sendmsg"
ALL_BYTES = 100_000_000


def under_strace(
    command: Sequence[str], log: Path | None, *options: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and its children; with `log`, write down every call that concerns files or sockets.

    Without it the options say what to trace and where to (-o): a trace of nothing else hardly costs time.
    """
    calls = ",".join(f"?{name}" for name in f"{FILES} {SOCKETS}".split())
    writes_all = ["-y", "-xx", "-s", str(ALL_BYTES), "-e", f"trace={calls}", "-o", str(log)]
    # With the filter strace is told of the traced calls alone, which is fast, but it injects no signals then.
    quick = [] if any("signal=" in option for option in options) else ["--seccomp-bpf"]
    return subprocess.run(
        ["strace", "-f", *quick, *(writes_all if log else ()), *options, *command],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@dataclass(frozen=True)
class Descriptor:
    """An open file as strace -y shows it."""

    number: int
    path: str


@dataclass(frozen=True)
class Call:
    """One system call that came back. `words` are its arguments that are neither text nor open files."""

    name: str
    texts: tuple[bytes, ...]
    descriptors: tuple[Descriptor, ...]
    words: tuple[str, ...]
    result: int
    opened: str = ""

    @property
    def data(self) -> bytes:
        """The bytes of a write, as many as were taken."""
        return b"".join(self.texts)[: self.result]


LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+|\?)(?P<rest>.*)")
UNFINISHED = re.compile(r"(?P<pid>\d+) +(?P<call>.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")
HEX = r"(?:\\x[0-9a-f]{2})*"
PART = re.compile(rf'"(?P<text>{HEX})"(?P<cut>\.\.\.)?|(?P<fd>-?\d+|AT_FDCWD)<(?P<path>{HEX})>|(?P<word>[^,"<>\s]+)')


def calls(log: Path) -> Iterator[Call]:
    """Yield the calls that came back, in the order in which they did."""
    begun: dict[str, str] = {}
    with log.open(encoding="ascii") as lines:
        for line in lines:
            if unfinished := UNFINISHED.match(line):
                begun[unfinished["pid"]] = unfinished["call"]
                continue
            if resumed := RESUMED.match(line):
                line = f"{resumed['pid']} {begun.pop(resumed['pid'])}{resumed['rest']}"
            if (found := LINE.match(line)) and found["result"] != "?":
                yield _call(found)


def _call(found: re.Match[str]) -> Call:
    texts, descriptors, words = [], [], []
    for part in PART.finditer(found["arguments"]):
        if part["text"] is not None:
            assert not part["cut"], f"{found['name']}: strace cut the data off"
            texts.append(_bytes(part["text"]))
        elif part["fd"]:
            number = -1 if part["fd"] == "AT_FDCWD" else int(part["fd"])
            descriptors.append(Descriptor(number, _bytes(part["path"]).decode()))
        else:
            words.append(part["word"])
    opened = re.match(rf"<({HEX})>", found["rest"])
    path = _bytes(opened[1]).decode() if opened else ""
    return Call(found["name"], tuple(texts), tuple(descriptors), tuple(words), int(found["result"]), path)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
