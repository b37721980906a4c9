"""The API key: where it may stand, which place wins, and what is wrong with how it is kept.

Places, best first: the environment, systemd credentials, .secret, .env. A key is a pair, taken whole from one place;
half a pair anywhere is an error, because completing it from another place would join two different keys.

Links are followed: a .secret that points into a folder of secrets is common and safe. What counts is who owns the file
at the end of the link and who may read it, and that is looked at on the open file.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from numebot.adapters.settings.display import MASK
from numebot.adapters.settings.dotenv_file import DotenvFile, read_dotenv_file
from numebot.adapters.settings.names import PUBLIC_NAMES, SECRET_NAMES
from numebot.adapters.settings.textfile import read_text_file
from numebot.core.errors import ConfigError

_LEGAL = re.compile(r"[!-~]{1,512}")  # visible ASCII: what may stand in a header, without spaces
_OTHERS_MAY_ANYTHING = 0o077


@dataclass(frozen=True, repr=False)
class ApiKey:
    """A key pair of Numerai and the place it came from. It never prints itself."""

    public_id: str
    secret_key: str
    source: str

    def __repr__(self) -> str:
        return f"ApiKey(public_id={MASK}, secret_key={MASK}, source={self.source!r})"


@dataclass(frozen=True)
class LoadedKey:
    """The key in effect, None when there is none anywhere, and warnings about how keys are kept."""

    key: ApiKey | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Value:
    name: str
    text: str = field(repr=False)
    where: str


@dataclass(frozen=True)
class _Place:
    source: str
    values: tuple[_Value, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_unreadable: bool = False


def load_api_key(home: Path, environ: Mapping[str, str]) -> LoadedKey:
    """Return the key of the best place that has one, with warnings about files that others can read.

    Raises: ConfigError for half a pair, contradicting lines or illegal characters in any place, and for an unreadable
    file when no better place has a key.
    """
    places = (
        _in_environment(environ),
        _in_credentials(environ),
        _in_dotenv(home / ".secret", ".secret"),
        _in_dotenv(home / ".env", ".env"),
    )
    problems: list[str] = []
    warnings: list[str] = []
    keys: list[ApiKey] = []
    for place in places:
        if place.is_unreadable and keys:
            warnings.extend(f"{problem} It is not needed: {keys[0].source} holds a key." for problem in place.problems)
            continue
        problems.extend((*place.problems, *_pair_problems(place)))
        warnings.extend(place.warnings)
        if not problems and (key := _pair(place)) is not None:
            keys.append(key)
    if problems:
        raise ConfigError("The API key cannot be used; correct this and run again. Nothing was started.", problems)
    return LoadedKey(keys[0] if keys else None, (*warnings, *_unused(keys)))


def missing_key_message(home: Path) -> str:
    """Return what to do when there is no key anywhere."""
    secret = home / ".secret"
    return (
        "No Numerai API key was found. Make one in the account settings on numer.ai with the scopes upload_submission, "
        "read_submission_info and read_user_info, and no others.\n"
        f"Write it into {secret}, two lines: PUBLIC_ID=... and SECRET_KEY=...; then type: chmod 600 {_quoted(secret)}\n"
        "NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY in the environment or in .env do as well.\n"
        "Without an account: numebot run --practice"
    )


def _in_environment(environ: Mapping[str, str]) -> _Place:
    # only the long names: PUBLIC_ID and SECRET_KEY in an environment are likely another program's
    names = (PUBLIC_NAMES[0], SECRET_NAMES[0])
    values = [_Value(name, environ[name].strip(), f"environment, {name}") for name in names if name in environ]
    return _Place("environment", tuple(values))


def _in_credentials(environ: Mapping[str, str]) -> _Place:
    """Read what systemd's LoadCredential= or SetCredentialEncrypted= put into a folder of this unit."""
    source = "systemd credentials"
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        return _Place(source)
    values: list[_Value] = []
    try:
        whole = read_dotenv_file(Path(folder) / "secret", f"{source}, secret")
        for name in (PUBLIC_NAMES[0], SECRET_NAMES[0]):
            where = f"{source}, {name.lower()}"
            file = read_text_file(Path(folder) / name.lower(), where)
            if file is not None:
                values.append(_Value(name, file.text.strip(), where))
    except ConfigError as error:
        return _Place(source, problems=error.problems, is_unreadable=True)
    # systemd makes these files for this unit alone, so their modes are its business
    return _Place(source, (*values, *(_key_values(whole) if whole else ())), whole.problems if whole else ())


def _in_dotenv(path: Path, name: str) -> _Place:
    try:
        file = read_dotenv_file(path, name)
    except ConfigError as error:
        return _Place(name, problems=error.problems, is_unreadable=True)
    if file is None:
        return _Place(name)
    values = _key_values(file)
    holds_secret = any(value.text for value in values)
    # a broken line in .env is said by the reader of settings, which reads it too
    problems = file.problems if name == ".secret" else ()
    return _Place(name, values, problems, _keeping(file) if holds_secret else ())


def _key_values(file: DotenvFile) -> tuple[_Value, ...]:
    return tuple(
        _Value(entry.name, (entry.value or "").strip(), f"{file.name} line {entry.line}, {entry.name}")
        for entry in file.entries
        if entry.name in PUBLIC_NAMES + SECRET_NAMES
    )


def _pair_problems(place: _Place) -> list[str]:
    """Return what keeps this place from being a whole pair or nothing."""
    given = [value for value in place.values if value.text]
    problems = [
        f"{value.where}: holds a space or a character that no key has. Paste it again. (It is not shown.)"
        for value in given
        if not _LEGAL.fullmatch(value.text)
    ]
    halves = [[value for value in given if value.name in names] for names in (PUBLIC_NAMES, SECRET_NAMES)]
    for half in halves:
        if len({value.text for value in half}) > 1:
            problems.append(f"{half[0].where}: differs from {half[-1].where}. Keep one of the two.")
    if bool(halves[0]) != bool(halves[1]) and not place.problems:
        present = (halves[0] or halves[1])[0]
        other = (SECRET_NAMES if halves[0] else PUBLIC_NAMES)[0 if present.name.startswith("NUMERAI_") else 1]
        problems.append(
            f"{present.where}: is only half of the key: {other} is missing there or empty. "
            "A key is taken whole from one place and never mixed; add the other half or remove this one."
        )
    return problems


def _pair(place: _Place) -> ApiKey | None:
    texts = {value.name: value.text for value in place.values if value.text}
    public = next((texts[name] for name in PUBLIC_NAMES if name in texts), "")
    secret = next((texts[name] for name in SECRET_NAMES if name in texts), "")
    return ApiKey(public, secret, place.source) if public and secret else None


def _unused(keys: list[ApiKey]) -> list[str]:
    best = [(key.public_id, key.secret_key) for key in keys[:1]]
    return [
        f"{key.source} holds another API key, which is not used: {keys[0].source} goes before it."
        for key in keys[1:]
        if (key.public_id, key.secret_key) not in best
    ]


def _keeping(file: DotenvFile) -> tuple[str, ...]:
    """Return warnings about who can read or replace a file with secrets."""
    real = file.path.resolve()
    behind = f" (through the link {file.path})" if real != file.path.absolute() else ""
    warnings = []
    if file.mode & _OTHERS_MAY_ANYTHING:
        warnings.append(
            f"{file.name} holds your API key and OTHER USERS OF THIS MACHINE CAN READ IT "
            f"(mode {file.mode:04o}){behind}. Type: chmod 600 {_quoted(real)}"
        )
    if file.owner not in (os.geteuid(), 0):
        warnings.append(
            f"{file.name} holds your API key but belongs to another user (uid {file.owner}){behind}, who can read it. "
            f'Type: sudo chown "$USER" {_quoted(real)}'
        )
    folder_mode = real.parent.stat().st_mode
    if folder_mode & stat.S_IWOTH and not folder_mode & stat.S_ISVTX:
        warnings.append(
            f"{file.name} holds your API key in a folder that every user of this machine can write to, so anybody can "
            f"replace the file. Type: chmod o-w {_quoted(real.parent)}"
        )
    return tuple(warnings)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
