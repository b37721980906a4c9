"""Queries that survive a change of the server's interface: an optional field or argument that is gone is left out.

An unknown field fails the whole document it stands in, so one vanished figure would take a leaderboard with it.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from numebot.adapters.numerai.answers import root_of, rows_of, text_of
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.transport import Answer, Operation, Transport
from numebot.core.errors import AccessDenied, NumebotError, Rejected, Unavailable

logger = logging.getLogger(__name__)

_GONE = re.compile(r'(?:cannot query field|unknown argument) ["\'](\w+)', re.IGNORECASE)
_MINUTE_S = 60.0
_PART_OF_LIMIT = 0.8
"""Other programs of the same address ask as well."""
_OPTIONAL_TIMEOUT_S = 10.0
_NAME = re.compile(r"[A-Za-z]\w{0,60}")
_OFFERED = Operation("__type", "query($name: String!) { __type(name: $name) { fields { name type { name } } } }")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Question:
    """A query of one root: its `arguments` with their types, and its `fields`, which may have fields of their own.

    `required` are the fields and arguments without which the answer is of no use. `per_minute` is Numerai's limit.
    `grows` names the type (and the part of it, where the root is not that type itself) whose further fields of the
    scalar `kinds` are asked for as well, whatever they are called: figures come and go.
    """

    root: str
    arguments: Mapping[str, str]
    fields: Mapping[str, Sequence[str]]
    required: frozenset[str]
    per_minute: int
    needs_key: bool = False
    grows: str = ""
    inside: str = ""
    kinds: frozenset[str] = frozenset({"Float", "Int"})

    def with_fields(self, names: Iterable[str]) -> Question:
        """Return the question with more fields."""
        if not self.inside:
            return replace(self, fields={**dict.fromkeys(names, ()), **self.fields})
        inner = tuple(dict.fromkeys((*self.fields[self.inside], *names)))
        return replace(self, fields={**self.fields, self.inside: inner})

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
    _further: dict[str, frozenset[str]] = field(default_factory=dict)

    def ask(
        self, question: Question, variables: Mapping[str, object], *, may_be_null: bool = False
    ) -> tuple[Any, Answer]:
        """Return the root of the answer, which must be filled unless it `may_be_null`, and the whole answer.

        Raises: Unavailable, AccessDenied, RoundClosed, Rejected (SchemaMismatch when a required field is gone).
        """
        offered = self._offered(question)
        if offered:
            try:
                return self._ask(question.with_fields(offered), variables, may_be_null)
            except (Rejected, AccessDenied) as error:
                # One of them may need a scope that the key has not: what is known by name is worth more.
                logger.warning("%s Asking without %s.", error, ", ".join(sorted(offered)))
                self._further[question.grows] = frozenset()
        return self._ask(question, variables, may_be_null)

    def _offered(self, question: Question) -> frozenset[str]:
        """Return what else the server offers of the type that a question grows with; nothing when it does not say."""
        if not question.grows:
            return frozenset()
        if question.grows not in self._further:
            known = {*question.fields, *question.fields.get(question.inside, ())}
            self._further[question.grows] = self._introspected(question.grows, question.kinds) - known
        return self._further[question.grows] - self._gone[question.root]

    def _introspected(self, name: str, kinds: frozenset[str]) -> frozenset[str]:
        try:
            answer = self.transport.query(_OFFERED, {"name": name}, tries=1, total_timeout_s=_OPTIONAL_TIMEOUT_S)
        except NumebotError as error:
            logger.info("%s Figures that are new there are not known.", error)
            return frozenset()
        found = answer.data.get("__type")
        fields = rows_of(found.get("fields")) if isinstance(found, dict) else ()
        types = {text_of(row, "name"): row.get("type") for row in fields}
        return frozenset(
            each for each, type_ in types.items()
            if each and isinstance(type_, dict) and type_.get("name") in kinds and _NAME.fullmatch(each)
        )  # fmt: skip

    def _ask(self, question: Question, variables: Mapping[str, object], may_be_null: bool) -> tuple[Any, Answer]:
        while True:
            reduced = question.without(self._gone[question.root])
            known = {name: value for name, value in variables.items() if name in reduced.arguments}
            self._keep_pace(question)
            try:
                answer = self.transport.query(reduced.operation(), known)
                return answer.data.get(question.root) if may_be_null else root_of(answer.data, question.root), answer
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


def read_rows(question: Question, found: object, read: Callable[[Mapping[str, Any]], Value | None]) -> list[Value]:
    """Read the rows of a list. Raises: Unavailable when it is none, or when there are rows and none can be read."""
    if not isinstance(found, list):
        raise Unavailable(f"{question.root}: the server answered without a list. It is asked again later.")
    values = [value for row in rows_of(found) if (value := read(row)) is not None]
    unread = len(found) - len(values)
    if unread and not values:
        raise Unavailable(f"{question.root}: none of {unread} rows could be read. It is asked again later.")
    if unread:
        logger.warning("%s: %s of %s rows came without what identifies them.", question.root, unread, len(found))
    return values


def _in_brackets(parts: Iterable[str]) -> str:
    listed = ", ".join(parts)
    return f"({listed})" if listed else ""
