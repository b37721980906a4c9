"""Text of others made fit for a message: it is stored, sent, and printed on a terminal, whatever it holds."""

from __future__ import annotations

import re

LONGEST = 2_000
"""Characters of a message; what a plugin says beyond that tells nobody more."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Besides control characters those that turn the direction of writing: they make a line look like another one.
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_WORD = 200


def plain(text: str, *, longest: int = LONGEST, lines: bool = False) -> str:
    """Return printable, encodable text of about `longest` characters at most, in one line unless `lines` are wanted.

    Terminal escapes, control characters and NUL go; lone surrogates become "\\udcff", as UTF-8 has no place for them.
    """
    encodable = str.encode(text, "utf-8", "backslashreplace").decode("utf-8")
    clean = _UNSEEN.sub("", _BREAKS.sub("\n", _ESCAPES.sub("", encodable[: 8 * longest])))
    clean = clean if lines else " ".join(part.strip() for part in re.split(r"[\n\t]+", clean)).strip()
    if len(clean) <= longest:
        return clean
    # Half a word could be half a secret, which nothing recognises any more.
    end = clean.rfind(" ", longest - _WORD, longest)
    return f"{clean[: end if end > 0 else longest]}…"


def text_of(error: BaseException) -> str:
    """Return the text of an exception, whose author may have written a `__str__` that raises."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as trouble:  # noqa: BLE001 # inside one plugin call: the words are the plugin's too
        return f"(its text cannot be had: __str__ raised {type(trouble).__name__})"


def words_of(error: BaseException) -> str:
    """Return "KeyError: 'x'": what was raised and the first line of its text, fit for a message."""
    lines = plain(text_of(error), lines=True).strip().splitlines()
    return plain(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)
