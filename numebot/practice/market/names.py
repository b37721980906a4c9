"""Made-up names of features, players, tickers and tokens: syllables put together, no dictionary and no real list."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from numebot.practice.market.streams import stream

_ONSETS = ("b", "br", "c", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "qu", "r", "s")
_MORE_ONSETS = ("sc", "sh", "sk", "sl", "st", "t", "th", "tr", "v", "w", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ea", "ou", "y")
_CODAS = ("", "", "", "l", "m", "n", "r", "s", "nd", "rt", "x")
_QUALITIES = ("ic", "ous", "al", "ine", "ish", "ent", "oid", "ed", "ive", "ate", "ary")
_THINGS = ("or", "ade", "et", "ism", "oon", "ule", "ant", "ix", "ome", "ion", "urn", "elle")


class Words:
    """An endless supply of invented words from one stream."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = stream(seed, "names", purpose)
        self._drawn: list[int] = []

    def quality(self) -> str:
        """Return a word that sounds like an adjective."""
        return self._stem() + self._one_of(_QUALITIES)

    def thing(self) -> str:
        """Return a word that sounds like a noun."""
        return self._stem() + self._one_of(_THINGS)

    def letters(self, length: int) -> str:
        """Return capital letters, as in a ticker."""
        return "".join(chr(65 + self._below(26)) for _ in range(length))

    def _stem(self) -> str:
        syllables = 1 + self._below(2)
        return "".join(
            self._one_of(_ONSETS + _MORE_ONSETS) + self._one_of(_VOWELS) + self._one_of(_CODAS)
            for _ in range(syllables)
        )

    def _one_of(self, choices: tuple[str, ...]) -> str:
        return choices[self._below(len(choices))]

    def _below(self, limit: int) -> int:
        # Drawn in bulk: one call per letter takes longer than making the data of a small market's round.
        if not self._drawn:
            self._drawn = self._random.integers(0, 2**31, size=8192).tolist()
        return self._drawn.pop() % limit


def feature_names(seed: int, count: int) -> list[str]:
    """Return `count` different names like `feature_<quality>_<quality>_<thing>`, in no order."""
    words = Words(seed, "features")
    return _distinct((f"feature_{words.quality()}_{words.quality()}_{words.thing()}" for _ in _naturals()), count)


def player_names(seed: int, count: int) -> list[str]:
    """Return `count` different model names of at most 20 characters, Numerai's limit."""
    words = Words(seed, "players")
    proposals = (f"{words.quality()}_{words.thing()}" for _ in _naturals())
    return _distinct((name for name in proposals if len(name) <= 20), count)


def tickers(seed: int, count: int) -> list[str]:
    """Return `count` different tickers with a country, like "QVRT JP"."""
    words = Words(seed, "tickers")
    countries = ("US", "US", "US", "JP", "LN", "GR", "FP", "CN", "HK", "AU", "KS")
    lengths = np.array((3, 4, 4, 5))
    proposals = (f"{words.letters(int(lengths[i % 4]))} {countries[i % len(countries)]}" for i in _naturals())
    return _distinct(proposals, count)


def symbols(seed: int, count: int) -> list[str]:
    """Return `count` different token symbols of three to five letters."""
    words = Words(seed, "symbols")
    return _distinct((words.letters(3 + i % 3) for i in _naturals()), count)


def _naturals() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _distinct(proposals: Iterator[str], count: int) -> list[str]:
    """Return the first `count` different proposals in order."""
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(next(proposals))
    return list(found)
