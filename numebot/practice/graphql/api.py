"""The practice server's GraphQL API: one POST body in, an HTTP status and a JSON body out."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from ariadne import convert_camel_case_to_snake, make_executable_schema
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute_sync, parse, validate

from numebot.practice.graphql.dialect import RULES, in_camel_case, in_their_words, schema_names
from numebot.practice.graphql.resolvers import (
    account,
    boards,
    data,
    diagnostics,
    models,
    money,
    pickles,
    profiles,
    rounds,
    scalars,
    scores,
    stakes,
    submissions,
)
from numebot.practice.graphql.resolvers.context import RequestContext
from numebot.practice.graphql.schema import schema_text
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.world import World

logger = logging.getLogger(__name__)

_TOPICS = (
    account,
    boards,
    data,
    diagnostics,
    models,
    money,
    pickles,
    profiles,
    rounds,
    scalars,
    scores,
    stakes,
    submissions,
)


class Api:
    """Answers requests for one world. Safe to call from several threads; requests are answered one after another."""

    def __init__(self, world: World, schema: GraphQLSchema) -> None:
        self._world = world
        self._schema = schema
        self._names = schema_names(schema)

    def answer(self, body: bytes, authorization: str | None, *, remote: str = "") -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the JSON body for a request body.

        Errors of GraphQL come with status 200, as at Numerai; 400 is for what is no GraphQL request at all.
        """
        try:
            query, variables, operation = _request(body)
        except ValueError as error:
            return 400, {"errors": [{"message": str(error)}]}
        try:
            document = in_camel_case(parse(query), self._names)
        except GraphQLError as error:
            return 200, {"errors": [_formatted(error)]}
        problems = validate(self._schema, document, RULES)
        if problems:
            return 200, {"errors": [_formatted(problem) for problem in problems]}
        with self._world.lock:
            self._world.tick()
            result = self._executed(document, variables, operation, authorization=authorization, remote=remote)
        return 200, _body(result)

    def _executed(
        self,
        document: DocumentNode,
        variables: Mapping[str, Any],
        operation: str | None,
        *,
        authorization: str | None,
        remote: str,
    ) -> ExecutionResult:
        key = self._world.account.key_of(authorization)
        context = RequestContext(self._world, self._world.now(), key, remote)
        return execute_sync(
            self._schema, document, context_value=context, variable_values=dict(variables), operation_name=operation
        )


def build_api(world: World) -> Api:
    """Return the API of a world."""
    return Api(world, _schema())


@cache
def _schema() -> GraphQLSchema:
    """Return the executable schema: it knows no world, so that one serves all."""
    bindables = [bindable for topic in _TOPICS for bindable in topic.bindables]
    return make_executable_schema(schema_text(), *bindables, convert_names_case=_python_name)


def _python_name(name: str, _: GraphQLSchema, path: tuple[str, ...]) -> str:
    """Return snake_case for the name of an argument; fields keep theirs."""
    return convert_camel_case_to_snake(name) if len(path) == 3 else name


def _request(body: bytes) -> tuple[str, Mapping[str, Any], str | None]:
    """Return query, variables and operation name. Raises: ValueError with words for the client."""
    try:
        request = json.loads(body)
    except ValueError as error:
        raise ValueError("The request body is not valid JSON") from error
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise ValueError("No query document supplied")
    variables = request.get("variables") or {}
    operation = request.get("operationName")
    if not isinstance(variables, dict) or not (operation is None or isinstance(operation, str)):
        raise ValueError("variables must be an object and operationName a string")
    return request["query"], variables, operation


def _body(result: ExecutionResult) -> dict[str, Any]:
    if not result.errors:
        return {"data": result.data}
    return {"data": result.data, "errors": [_formatted(error) for error in result.errors]}


def _formatted(error: GraphQLError) -> dict[str, Any]:
    """Return an error for the client; a fault of our own is logged and told without its details."""
    original = error.original_error
    if original is not None and not isinstance(original, Refusal | GraphQLError):
        logger.error("practice API: %s failed", error.path, exc_info=original)
        message = f"Internal server error ({type(original).__name__})"
    else:
        message = error.message if isinstance(original, Refusal) else in_their_words(error.message)
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        formatted["path"] = error.path
    return formatted
