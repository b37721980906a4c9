"""POST /: the GraphQL API behind its faults and rate limits."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio.to_thread
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from starlette.requests import Request
from starlette.responses import Response

from numebot.practice.faults.effects import afterwards, instead, late
from numebot.practice.faults.kinds import Fault, Kind
from numebot.practice.faults.switchboard import Faults
from numebot.practice.graphql.rate_limits import RateLimits
from numebot.practice.http.answers import Answer, BytesBody, WholeResponse
from numebot.practice.http.wire import wire_of
from numebot.practice.spelling import camel_case

BODY_LIMIT_BYTES = 4 * 2**20


class Api(Protocol):
    """The GraphQL API."""

    def answer(self, body: bytes, authorization: str | None, *, remote: str = "") -> tuple[int, dict[str, object]]:
        """Answer a request: an HTTP status and the JSON envelope."""


@dataclass(frozen=True)
class Root:
    """A root field of a query: its name in camelCase, as written, and the key it is answered under."""

    name: str
    written: str
    key: str


class Gateway:
    """Reads a request's root fields, lets the faults strike, and asks the API in a thread."""

    def __init__(self, api: Api, faults: Faults, limits: RateLimits | None) -> None:
        self._api = api
        self._faults = faults
        self._limits = limits

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        body = await request.body()
        if len(body) > BODY_LIMIT_BYTES:
            return WholeResponse(api_error(413, [f"the query has {len(body)} bytes; {BODY_LIMIT_BYTES} are allowed"]))
        roots = root_fields(body)
        struck = self._faults.strike([root.name for root in roots], body.decode(errors="replace"))
        request.state.skew_s = struck.skew_s
        planned = _planned(struck.main, roots)
        if planned is not None:
            return await late(struck, WholeResponse(planned), request)
        response = await instead(struck, request, api_error)
        if response is not None:
            return response
        wait_s = self._limits.exceeded(request_host(request), roots) if self._limits else None
        if wait_s is not None:
            limited = api_error(429, ["Rate limit exceeded"])
            return WholeResponse(Answer(429, limited.body, limited.content_type, (("retry-after", str(wait_s)),)))
        return await afterwards(struck, await self._asked(body, struck.main, roots, request), request, api_error)

    async def _asked(self, body: bytes, fault: Fault | None, roots: tuple[Root, ...], request: Request) -> Answer:
        if wire_of(request).is_gone:
            return api_error(503, ["the client is gone"])
        authorization = request.headers.get("authorization")
        ask = functools.partial(self._api.answer, body, authorization, remote=request_host(request))
        status, envelope = await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)
        if fault is not None:
            envelope = _altered(envelope, fault, roots)
        return Answer(status, BytesBody(json.dumps(envelope).encode()), "application/json")


def root_fields(body: bytes) -> tuple[Root, ...]:
    """Return the root fields that a request asks for; none when it is not a GraphQL request."""
    try:
        request = json.loads(body)
        document = parse(request["query"])
    except (ValueError, KeyError, TypeError, GraphQLError):
        return ()
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    wanted = request.get("operationName")
    chosen = [node for node in operations if node.name is not None and node.name.value == wanted] or operations[:1]
    return tuple(_roots(chosen[0].selection_set, document)) if chosen else ()


def api_error(status: int, messages: Sequence[str]) -> Answer:
    """Word an error as the GraphQL API does."""
    errors = [{"message": message} for message in messages]
    return Answer(status, BytesBody(json.dumps({"errors": errors}).encode()), "application/json")


def request_host(request: Request) -> str:
    """Return the address a request came from."""
    return request.client.host if request.client else ""


def _roots(selections: SelectionSetNode, document: DocumentNode) -> list[Root]:
    found: list[Root] = []
    for node in selections.selections:
        if isinstance(node, FieldNode):
            written = node.name.value
            found.append(Root(camel_case(written), written, node.alias.value if node.alias else written))
        elif isinstance(node, InlineFragmentNode):
            found += _roots(node.selection_set, document)
        elif isinstance(node, FragmentSpreadNode):
            for other in document.definitions:
                if isinstance(other, FragmentDefinitionNode) and other.name.value == node.name.value:
                    found += _roots(other.selection_set, DocumentNode(definitions=()))
    return found


def _planned(fault: Fault | None, roots: tuple[Root, ...]) -> Answer | None:
    """Return what a fault of the envelope answers without asking the API."""
    if fault is None:
        return None
    keys = [root.key for root in roots] or ["rounds"]
    if fault.kind is Kind.BAD_JSON:
        return Answer(200, BytesBody(f'{{"data": {{"{keys[0]}": [{{"id": "4'.encode()), "application/json")
    if fault.kind is Kind.DATA_NULL:
        return _envelope({"data": None})
    if fault.kind is Kind.LIST_EMPTY:
        return _envelope({"data": {key: [] for key in keys}})
    if fault.kind is Kind.SEVERAL_ERRORS:
        messages = fault.messages or ("practice fault: first error", "practice fault: second error")
        return api_error(fault.status or 200, messages)
    if fault.kind is Kind.UNKNOWN_FIELD:
        name = fault.field or (roots[0].written if roots else "rounds")
        owner = "RootQueryType" if fault.field is None else "Round"
        return api_error(fault.status or 200, [f'Cannot query field "{name}" on type "{owner}".'])
    return None


def _altered(envelope: dict[str, object], fault: Fault, roots: tuple[Root, ...]) -> dict[str, object]:
    if fault.kind is Kind.ERRORS_EMPTY:
        return {**envelope, "errors": []}
    if fault.kind is Kind.NULL_FIELD:
        return _with_values(envelope, {camel_case(fault.field or "closeStakingTime"): None})
    data = envelope.get("data")
    if not isinstance(data, dict):
        return envelope
    keys = {root.name: root.key for root in roots}
    if fault.kind is Kind.BAD_NAME:
        name = fault.name or "../../outside.csv"
        listed = keys.get("listDatasets")
        if listed in data:
            data = {**data, listed: [*data[listed], name]}
        return {**envelope, "data": _with_values(data, {"filename": name})}
    if fault.kind is Kind.BAD_URL:
        location = fault.location or "file:///etc/passwd"
        if keys.get("dataset") in data:
            data = {**data, keys["dataset"]: location}
        return {**envelope, "data": _with_values(data, {"url": location})}
    return envelope


def _with_values(tree: dict[str, object], values: dict[str, object]) -> dict[str, object]:
    """Return a copy in which every key of `values` (in either spelling) holds its value."""

    def changed(node: object) -> object:
        if isinstance(node, dict):
            return {key: values[camel_case(key)] if camel_case(key) in values else changed(node[key]) for key in node}
        return [changed(each) for each in node] if isinstance(node, list) else node

    return {key: changed(value) for key, value in tree.items()}


def _envelope(content: dict[str, object]) -> Answer:
    return Answer(200, BytesBody(json.dumps(content).encode()), "application/json")

