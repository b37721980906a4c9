"""The API's schema as a text, and the names of its root fields: what a fault can be tied to."""

from __future__ import annotations

from functools import cache
from importlib import resources

from graphql import ObjectTypeDefinitionNode, parse

_ROOT_TYPES = frozenset({"Query", "Mutation"})


def schema_text() -> str:
    """Return the schema in GraphQL's own language."""
    return resources.files("numebot.practice.graphql").joinpath("schema.graphql").read_text(encoding="utf-8")


@cache
def root_names() -> frozenset[str]:
    """Return every query and mutation, in camelCase."""
    return frozenset(
        field.name.value
        for node in parse(schema_text(), no_location=True).definitions
        if isinstance(node, ObjectTypeDefinitionNode) and node.name.value in _ROOT_TYPES
        for field in node.fields or ()
    )
