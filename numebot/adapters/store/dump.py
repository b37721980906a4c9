"""Backups of a PostgreSQL by its own pg_dump. The password reaches it in a private file: arguments can be seen."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Engine

from numebot.core.errors import ConfigError, LocalTrouble
from numebot.durable import whole_file

NO_PG_DUMP = (
    "pg_dump, which makes backups of a PostgreSQL, is not on this machine. Install PostgreSQL's client programs "
    "(Debian and Ubuntu: postgresql-client), or let the server's owner make them."
)
_SERVICE = "numebot"


def dump(engine: Engine, destination: Path) -> None:
    """Write a consistent backup to `destination`, in pg_dump's own format, and look whether it can be read.

    Raises: ConfigError without pg_dump; LocalTrouble when it fails.
    """
    program, reader = shutil.which("pg_dump"), shutil.which("pg_restore")
    if program is None:
        raise ConfigError(NO_PG_DUMP)
    with whole_file(destination) as temporary:
        with _service_file(engine) as services:
            arguments = ["--format=custom", "--no-owner", "--no-password", f"--dbname=service={_SERVICE}"]
            _run([program, *arguments, f"--file={temporary}"], {"PGSERVICEFILE": str(services)})
        if reader is not None:
            _run([reader, "--list", str(temporary)], {})


@contextmanager
def _service_file(engine: Engine) -> Iterator[Path]:
    """Yield a file that holds how the server is reached, as libpq reads it; nobody else can."""
    _, parameters = engine.dialect.create_connect_args(engine.url)
    with tempfile.TemporaryDirectory(prefix="numebot-") as folder:
        path = Path(folder) / "services"
        path.touch(mode=0o600)
        lines = [f"{name}={value}" for name, value in parameters.items() if isinstance(value, str | int)]
        path.write_text("\n".join([f"[{_SERVICE}]", *lines, ""]), encoding="utf-8")
        yield path


def _run(command: list[str], environ: dict[str, str]) -> None:
    # A bare environment: neither keys nor PG… variables that would lead elsewhere.
    found = subprocess.run(command, env={"PATH": "/usr/bin:/bin", **environ}, capture_output=True, check=False)
    if found.returncode != 0:
        words = " ".join(found.stderr.decode(errors="replace").split())
        raise LocalTrouble(f"{Path(command[0]).name}: no backup was made ({words[:600]}). The database is as it was.")
