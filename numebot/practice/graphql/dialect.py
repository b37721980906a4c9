"""What Numerai's server lets pass and how it words its refusals, on top of graphql-core.

Fields and arguments may be written in snake_case and are echoed as written; a variable declared String is taken where
the schema says ID (and the other way round), whatever it says of null.
"""

from __future__ import annotations

import re
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    ValidationRule,
    Visitor,
    get_named_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    specified_rules,
    type_from_ast,
    visit,
)
from graphql.validation.rules.variables_in_allowed_position import (
    VariablesInAllowedPositionRule,
    allowed_variable_usage,
)

from numebot.practice.spelling import camel_case

_INTERCHANGEABLE = {"ID", "String"}


def schema_names(schema: GraphQLSchema) -> frozenset[str]:
    """Return every field and argument name of a schema."""
    names: set[str] = set()
    for named in schema.type_map.values():
        if is_object_type(named) or is_interface_type(named):
            for name, field in named.fields.items():
                names.update([name, *field.args])
        elif is_input_object_type(named):
            names.update(named.fields)
    return frozenset(names)


def in_camel_case(document: DocumentNode, names: frozenset[str]) -> DocumentNode:
    """Rewrite snake_case fields and arguments that the schema knows; an alias keeps the name as it was written."""
    rewritten: DocumentNode = visit(document, _CamelCase(names))
    return rewritten


class _CamelCase(Visitor):
    """Renames nodes on the way up. Unknown names stay, so that an error quotes what the client wrote."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._names = names

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        """Rename a field; None leaves it as it is."""
        name = self._renamed(node.name.value)
        if name is None:
            return None
        renamed: FieldNode = _changed(node, name=_named(node, name), alias=node.alias or node.name)
        return renamed

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        """Rename an argument; None leaves it as it is."""
        name = self._renamed(node.name.value)
        if name is None:
            return None
        renamed: ArgumentNode = _changed(node, name=_named(node, name))
        return renamed

    def _renamed(self, name: str) -> str | None:
        if name.startswith("__") or name in self._names:
            return None
        camel = camel_case(name)
        return camel if camel != name and camel in self._names else None


def _named(node: FieldNode | ArgumentNode, name: str) -> NameNode:
    """Return another name for the same place in the document."""
    return NameNode(value=name, loc=node.name.loc)


def _changed(node: Any, **changes: Any) -> Any:
    """Return a copy of a node with other parts; nodes are shared, so they are not changed in place."""
    parts = {key: getattr(node, key) for key in (*node.keys, "loc") if hasattr(node, key)}
    return type(node)(**{**parts, **changes})


class VariablesRule(ValidationRule):
    """Judges whether a variable fits where it is used, as graphql-core does, but for an ID a String will do."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        """Report each use that no server would take."""
        schema = self.context.schema
        definitions = {one.variable.name.value: one for one in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            definition = definitions.get(usage.node.name.value)
            declared = None if definition is None else type_from_ast(schema, definition.type)
            if definition is None or declared is None or usage.type is None:
                continue
            if {get_named_type(declared).name, get_named_type(usage.type).name} <= _INTERCHANGEABLE:
                continue
            default = definition.default_value
            if not allowed_variable_usage(schema, declared, default, usage.type, usage.default_value):
                text = f"Variable '${usage.node.name.value}' of type '{declared}' used in position expecting type"
                self.report_error(GraphQLError(f"{text} '{usage.type}'.", [definition, usage.node]))


RULES = tuple(VariablesRule if rule is VariablesInAllowedPositionRule else rule for rule in specified_rules)
"""graphql-core's rules of validation with ours in place of the one about variables."""


def in_their_words(message: str) -> str:
    """Return one of graphql-core's messages with the server's quotes: Variable "x" is never used."""
    unquoted = re.sub(r"'([^']*)'", r'"\1"', message)
    return re.sub(r'^Variable "\$', 'Variable "', unquoted)
