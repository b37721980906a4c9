"""How fast and how lean is a download, compared with curl?

Run it by hand:

    python tests/benchmarks/bench_download.py [--megabytes 1000] [--rounds 5] [--folder FOLDER]

A server process sends one file from memory over the loopback; curl and our client fetch it, each in a process of its
own, in turns whose order changes, each into a file that is new, after the disk has come to rest. It is done once in a
folder on disk and once in memory. Ours makes the file durable (fsync), which curl does not. "ours" is how the large
files of a data version come; "hashing" is how live files and others come whose sha256 is wanted at once. Three more
figures are shown: curl followed by fsync; how long the server alone needs (nobody can be faster); and how long sha256
alone needs: no client that hashes is faster than that, and a processor without instructions for sha256 may need longer
for it than curl for the whole file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, sleep  # noqa: TID251  # the disk rests in real time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"

OURS = """
import json, resource, sys, time
from pathlib import Path
from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.client import NumeraiClient
client = NumeraiClient(ApiSettings(url=sys.argv[1]), SystemClock())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
client.download("v5.3/train.parquet", Path(sys.argv[2]), hashes=sys.argv[3] == "hashes")
seconds = time.perf_counter() - began
print(json.dumps([seconds, before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


HASH_ALONE = """
import hashlib, sys, time
megabyte, digest, began = bytes(1_000_000), hashlib.sha256(), time.perf_counter()
for _ in range(int(sys.argv[1])):
    digest.update(megabyte)
print(time.perf_counter() - began)
"""
MEMORY = Path("/dev/shm")
REST_S = 1.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="on disk; the system's temporary folder if not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as disk, tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        source = Path(disk) / "source.parquet"
        write_source(source, arguments.megabytes * 1_000_000)
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(str(source), there), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{here.recv()}"
        try:
            for place, folder in (("disk", disk), ("memory", memory)):
                measure(place, url, Path(folder) / "target.parquet", arguments)
        finally:
            server.terminate()
            server.join()


def measure(place: str, url: str, target: Path, arguments: argparse.Namespace) -> None:
    growth: list[float] = []
    candidates: dict[str, Callable[[], float]] = {
        "curl": lambda: curl(url, target),
        "ours": lambda: ours(url, target, growth),
        "hashing": lambda: ours(url, target, growth, "hashes"),
        "curl + fsync": lambda: curl(url, target) + fsync(target),
        "server": lambda: curl(url, Path(os.devnull)),
        "sha256": lambda: hash_alone(arguments.megabytes),
    }
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    order = list(candidates)
    for _ in range(arguments.rounds):
        for name in order:
            clear(target)
            seconds[name].append(candidates[name]())
        order.reverse()
        print(f"{place}: " + "   ".join(f"{name} {seconds[name][-1]:.2f} s" for name in candidates), flush=True)
    clear(target)
    for word, choice in (("median", statistics.median), ("minimum", min)):
        best = {name: choice(values) for name, values in seconds.items()}
        print(
            f"{place}, {word}: {best['curl'] / best['ours']:.0%} of curl's speed, "
            f"{best['curl + fsync'] / best['ours']:.0%} of curl + fsync, "
            f"hashing {best['curl'] / best['hashing']:.0%} of curl's speed "
            f"(sha256 alone: {best['curl'] / best['sha256']:.0%} of curl's speed)"
        )
    print(f"{place}: peak memory grew by {max(growth):.0f} MB", flush=True)


def clear(target: Path) -> None:
    """Remove the last result and let the disk come to rest, so that each is timed with its own bytes alone."""
    target.unlink(missing_ok=True)
    os.sync()
    sleep(REST_S)


def curl(url: str, destination: Path) -> float:
    began = perf_counter()
    subprocess.run(["curl", "-sS", "--fail", "-o", str(destination), f"{url}/file"], check=True)
    return perf_counter() - began


def fsync(path: Path) -> float:
    began = perf_counter()
    subprocess.run(["sync", str(path)], check=True)
    return perf_counter() - began


def ours(url: str, target: Path, growth: list[float], hashes: str = "") -> float:
    """Return the seconds, without those that Python needs to start; add the growth of peak memory in MB."""
    seconds, before, after = json.loads(subprocess.check_output([sys.executable, "-c", OURS, url, str(target), hashes]))
    growth.append(after - before)
    return float(seconds)


def hash_alone(megabytes: int) -> float:
    return float(subprocess.check_output([sys.executable, "-c", HASH_ALONE, str(megabytes)]))


def write_source(path: Path, size_bytes: int) -> None:
    """A file with parquet's two ends; what lies between does not matter to a download."""
    block = os.urandom(1_000_000)
    footer = (1000).to_bytes(4, "little") + b"PAR1"
    with path.open("wb") as file:
        file.write(b"PAR1")
        while file.tell() < size_bytes:
            file.write(block)
        file.truncate(size_bytes - len(footer))
        file.seek(0, os.SEEK_END)
        file.write(footer)


def serve(source: str, port: Connection) -> None:
    """Answer POST with the file's address and GET with the file, by sendfile."""
    listener = socket.create_server(("127.0.0.1", 0))
    port.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, listener.getsockname()[1], source), daemon=True).start()


def answer(connection: socket.socket, port: int, source: str) -> None:
    with connection:
        request = connection.recv(65536)
        if request.startswith(b"POST"):
            body = json.dumps({"data": {"dataset": f"http://127.0.0.1:{port}/file"}}).encode()
            connection.sendall(HEAD % len(body) + body)
            return
        with open(source, "rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            connection.sendall(HEAD % size_bytes)
            connection.sendfile(file)


if __name__ == "__main__":
    main()
