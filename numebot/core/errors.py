"""What went wrong, split by what numebot must do about it.

NumebotError
├── ConfigError          stop, tell the human: settings, files or arguments are wrong
│   └── AccessDenied     stop, tell the human: the key is missing, wrong, revoked or lacks a scope
├── Unavailable          retry later: the server, the network or a file of theirs is not usable right now
│   ├── NotReady         the round is open, but its data are not there yet: look again soon, nothing failed
│   └── Ambiguous        a mutation may or may not have been committed: read back before anything is sent again
├── Rejected             record, never retry: Numerai refused, its words are kept
├── RoundClosed          wait for the next round
├── PluginError          skip this model, go on with the others
├── CheckFailed          do not submit these predictions, alert
└── LocalTrouble         this machine: disk full, folder not writable, database locked; keep state, tell the human
    └── StorageBroken    the disk or the database can no longer be trusted by this process: end, and start anew
        └── Damaged      the database itself is damaged: a backup has to take its place

The message of each says where it happened, what was found, what is allowed and what happens next. No message ever
holds a secret or a signed address.
"""

from __future__ import annotations

from collections.abc import Sequence


class NumebotError(Exception):
    """Base of everything that numebot raises on purpose."""


class ConfigError(NumebotError):
    """Settings, files or arguments are wrong; a person has to change them."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        """Keep the single problems beside the message, so that all of a file are reported at once."""
        self.problems: tuple[str, ...] = tuple(problems) or (message,)
        super().__init__(message if not problems else "\n".join([message, *(f"  {problem}" for problem in problems)]))


class AccessDenied(ConfigError):
    """The API key is missing, wrong, revoked or lacks a scope; retrying does not help."""


class Unavailable(NumebotError):
    """Not usable right now; the same request may succeed later."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        """`retry_after_s` is what the server asked for, in seconds, when it did."""
        self.retry_after_s = retry_after_s
        super().__init__(message)


class NotReady(Unavailable):
    """The round's data are missing, of another round, or refused by the server: Numerai is late, the model is not."""


class Ambiguous(Unavailable):
    """A mutation was sent and no usable answer came: it may have been committed."""


class Rejected(NumebotError):
    """Numerai understood and refused; `reasons` are its words, verbatim."""

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        """Keep the server's words beside ours."""
        self.reasons: tuple[str, ...] = tuple(reasons)
        super().__init__(message)


class RoundClosed(NumebotError):
    """The round takes no submissions (any more)."""


class PluginError(NumebotError):
    """A plugin could not be loaded, trained or run; only its own model is affected."""


class CheckFailed(NumebotError):
    """Predictions are not a legal or sane submission; `problems` lists everything found."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        """Keep the single problems beside the message."""
        self.problems: tuple[str, ...] = tuple(problems) or (message,)
        super().__init__(message)


class LocalTrouble(NumebotError):
    """This machine cannot do it now: disk full, folder not writable, database locked."""


class StorageBroken(LocalTrouble):
    """The disk failed a write or a sync, or the database is damaged; what this process holds open is not trusted."""


class Damaged(StorageBroken):
    """The database is damaged, or is none; a person has to put a backup in its place."""
