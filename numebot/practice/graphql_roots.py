"""The names of the API's root fields, read from its schema: what a fault can be tied to."""

from __future__ import annotations

from functools import cache
from importlib import resources

from graphql import ObjectTypeDefinitionNode, parse

_ROOT_TYPES = frozenset({"Query", "Mutation"})


@cache
def graphql_roots() -> frozenset[str]:
    """Return every query and mutation, in camelCase."""
    text = resources.files("numebot.practice").joinpath("schema.graphql").read_text(encoding="utf-8")
    return frozenset(
        field.name.value
        for node in parse(text, no_location=True).definitions
        if isinstance(node, ObjectTypeDefinitionNode) and node.name.value in _ROOT_TYPES
        for field in node.fields or ()
    )
