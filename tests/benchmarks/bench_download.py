"""How fast and how lean is a download, compared with curl?

Run it by hand:

    python tests/benchmarks/bench_download.py [--megabytes 1000] [--rounds 5] [--folder FOLDER]

A server process sends one file from memory over the loopback; curl and our client fetch it in turn, each in a process
of its own. Ours also hashes and makes the file durable (fsync), curl does neither: on a folder in memory the comparison
is about the client, on a disk it is about the disk, so curl followed by fsync is shown, too.
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
from time import perf_counter

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
client.download("v5.3/train.parquet", Path(sys.argv[2]))
seconds = time.perf_counter() - began
print(json.dumps([seconds, before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        source = Path(folder) / "source.parquet"
        write_source(source, arguments.megabytes * 1_000_000)
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(str(source), there), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{here.recv()}"
        try:
            measure(url, Path(folder), arguments.rounds)
        finally:
            server.terminate()
            server.join()


def measure(url: str, folder: Path, rounds: int) -> None:
    target = folder / "target.parquet"
    curls, synced_curls, ours, memory = [], [], [], []
    curl(url, target)  # the first touch of memory and disk blocks belongs to nobody
    for _ in range(rounds):
        clear(target)
        curls.append(seconds_of(curl, url, target))
        clear(target)
        seconds, before, after = json.loads(subprocess.check_output([sys.executable, "-c", OURS, url, str(target)]))
        ours.append(seconds)
        memory.append((before, after))
        clear(target)
        synced_curls.append(seconds_of(curl_and_sync, url, target))
        print(
            f"curl {curls[-1]:6.2f} s   ours {seconds:6.2f} s   curl + fsync {synced_curls[-1]:6.2f} s   "
            f"memory {before:.0f} → {after:.0f} MB"
        )
    for name, choice in (("median", statistics.median), ("best", min)):
        print(
            f"{name}: {choice(curls) / choice(ours):.0%} of curl's speed, "
            f"{choice(synced_curls) / choice(ours):.0%} of curl + fsync"
        )
    print(f"peak memory grew by {max(after - before for before, after in memory):.0f} MB")


def seconds_of(action: Callable[[str, Path], None], url: str, target: Path) -> float:
    target.unlink(missing_ok=True)
    began = perf_counter()
    action(url, target)
    return perf_counter() - began


def clear(target: Path) -> None:
    """Remove the last result and let the disk come to rest, so that each is timed with its own bytes alone."""
    target.unlink(missing_ok=True)
    os.sync()


def curl(url: str, destination: Path) -> None:
    subprocess.run(["curl", "-sS", "--fail", "-o", str(destination), f"{url}/file"], check=True)


def curl_and_sync(url: str, destination: Path) -> None:
    curl(url, destination)
    subprocess.run(["sync", str(destination)], check=True)


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
