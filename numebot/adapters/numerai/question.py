"""Queries that survive a change of the server's interface: an optional field or argument that is gone is left out.

An unknown field fails the whole document it stands in, so one vanished figure would take a leaderboard with it.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numebot.adapters.numerai.answers import root_of
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.transport import Answer, Operation, Transport

logger = logging.getLogger(__name__)

_GONE = re.compile(r'(?:cannot query field|unknown argument) ["\'](\w+)', re.IGNORECASE)
_MINUTE_S = 60.0
_PART_OF_LIMIT = 0.8
"""Other programs of the same address ask as well."""


@dataclass(frozen=True)
class Question:
    """A query of one root: its `arguments` with their types, and its `fields`, which may have fields of their own.

    `required` are the fields and arguments without which the answer is of no use. `per_minute` is Numerai's limit.
    """

    root: str
    arguments: Mapping[str, str]
    fields: Mapping[str, Sequence[str]]
    required: frozenset[str]
    per_minute: int
    needs_key: bool = False

    def operation(self) -> Operation:
        """Return the document."""
        declared = _in_brackets(f"${name}: {kind}" for name, kind in self.arguments.items())
        passed = _in_brackets(f"{name}: ${name}" for name in self.arguments)
        fields = " ".join(f"{name} {{ {' '.join(inner)} }}" if inner else name for name, inner in self.fields.items())
        return Operation(self.root, f"query{declared} {{ {self.root}{passed} {{ {fields} }} }}", self.needs_key)

    def without(self, gone: frozenset[str]) -> Question:
        """Return the question without the names that the server no longer knows; never without required ones."""
        left_out = gone - self.required
        fields = {
            name: tuple(one for one in inner if one not in left_out)
            for name, inner in self.fields.items()
            if name not in left_out
        }
        arguments = {name: kind for name, kind in self.arguments.items() if name not in left_out}
        return replace(self, fields=fields, arguments=arguments)


@dataclass
class Asker:
    """Asks questions at a pace below Numerai's limits, and remembers which names are gone."""

    transport: Transport
    _gone: defaultdict[str, frozenset[str]] = field(default_factory=lambda: defaultdict(frozenset))
    _asked: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def ask(self, question: Question, variables: Mapping[str, object]) -> tuple[Any, Answer]:
        """Return the filled root of the answer, and the whole answer.

        Raises: Unavailable, AccessDenied, RoundClosed, Rejected (SchemaMismatch when a required field is gone).
        """
        while True:
            reduced = question.without(self._gone[question.root])
            known = {name: value for name, value in variables.items() if name in reduced.arguments}
            self._keep_pace(question)
            try:
                answer = self.transport.query(reduced.operation(), known)
                return root_of(answer.data, question.root), answer
            except SchemaMismatch as error:
                gone = frozenset(name for words in error.reasons for name in _GONE.findall(words))
                if reduced.without(gone) == reduced:
                    raise
                logger.warning("%s Asking without %s.", error, ", ".join(sorted(gone - question.required)))
                self._gone[question.root] |= gone

    def _keep_pace(self, question: Question) -> None:
        """Wait until another request of this root stays below the limit of any minute."""
        clock, asked = self.transport.clock, self._asked[question.root]
        allowed = max(1, int(question.per_minute * _PART_OF_LIMIT))
        while asked and clock.monotonic() - asked[0] >= _MINUTE_S:
            asked.popleft()
        if len(asked) >= allowed:
            clock.wait(max(0.0, asked[0] + _MINUTE_S - clock.monotonic()))
            asked.popleft()
        asked.append(clock.monotonic())


def _in_brackets(parts: Iterable[str]) -> str:
    listed = ", ".join(parts)
    return f"({listed})" if listed else ""
