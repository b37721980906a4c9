"""The `parameters` column: a JSON object or a Python dict. A text is data here; nothing of it is ever run."""

from __future__ import annotations

import ast
import json
import keyword
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType

_MAX_TEXT = 50_000
_MAX_WHOLE = 2**63
_TYPOGRAPHIC = str.maketrans({**dict.fromkeys("´`‘’‚′", "'"), **dict.fromkeys("“”„″", '"')})
_WORDS = MappingProxyType({"true": True, "false": False, "null": None})
_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = MappingProxyType(
    {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
)
_ALLOWED = "allowed are texts, numbers (with + - * / and parentheses), True, False, None, lists and dicts"


def read_parameters(text: str) -> dict[str, object]:
    """Return the keyword parameters that a cell spells, e.g. {"max_depth": 5} or {'seconds': 13*3600}.

    The text is tried as it stands, first as JSON, then as a Python dict; word processors' quotes (´ ` ‘ ’ “ ”) are
    replaced only if that fails, so an apostrophe inside a legal text survives. Sources: the files of the original
    numebot, which put such quotes and arithmetic there.
    Raises: ValueError, whose text ends the sentence "this cell …".
    """
    if not text.strip():
        return {}
    if len(text) > _MAX_TEXT:
        raise ValueError(f"is longer than {_MAX_TEXT:,} characters")
    value = _value(text)
    if not isinstance(value, dict):
        raise ValueError('is not a dict such as {"max_depth": 5}')
    for name in value:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"has {name!r} as the name of a parameter; a name is letters, digits and _ in quotes")
    return value


def _value(text: str) -> object:
    try:
        try:
            return _finite(json.loads(text, object_pairs_hook=_object))
        except _NotPlainData:
            raise
        except ValueError:
            return _python(text)
    except (RecursionError, MemoryError):
        raise ValueError("is nested too deeply") from None


class _NotPlainData(ValueError):
    """The text was understood and is refused: trying other quotes would not help."""


def _python(text: str) -> object:
    plain = text.translate(_TYPOGRAPHIC)
    for candidate in dict.fromkeys((text, plain)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "invalid escape sequence" is no news for the owner of a CSV file
                tree = ast.parse(candidate.strip(), mode="eval")
        except (SyntaxError, ValueError):
            continue
        return _evaluated(tree.body)
    raise ValueError("is neither JSON nor a Python dict; look for a missing quote, comma or bracket")


def _evaluated(node: ast.expr) -> object:
    """Return the value of a syntax tree made of plain data; refuse every other node by name."""
    match node:
        case ast.Constant(value=bool() | str() | None):
            return node.value
        case ast.Constant(value=int() | float() as number):
            return _bounded(number)
        case ast.Name(id=word) if word in _WORDS:
            return _WORDS[word]
        case ast.List(elts=items):
            return [_evaluated(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_evaluated(item) for item in items)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return _object([(_evaluated(key), _evaluated(item)) for key, item in zip(keys, values, strict=True) if key])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _number(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATIONS:
            return _calculated(_OPERATIONS[type(sign)], _number(left), _number(right))
    raise _NotPlainData(f"holds {ast.unparse(node)[:40]!r}; {_ALLOWED}, and nothing is run")


def _number(node: ast.expr) -> float:
    value = _evaluated(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _NotPlainData(f"calculates with {ast.unparse(node)[:40]!r}, which is not a number")
    return value


def _calculated(operation: Callable[[float, float], float], left: float, right: float) -> float:
    try:
        return _bounded(operation(left, right))
    except ZeroDivisionError:
        raise _NotPlainData("divides by zero") from None
    except OverflowError:
        raise _NotPlainData("holds a number that is too large") from None


def _bounded(value: float) -> float:
    """Refuse numbers that no parameter needs: they would only cost memory and time."""
    if isinstance(value, int) and abs(value) > _MAX_WHOLE:
        raise _NotPlainData("holds a number that is too large")
    if not math.isfinite(value):
        raise _NotPlainData("holds a number that is infinite or not a number")
    return value


def _object(pairs: list[tuple[object, object]]) -> dict[object, object]:
    result: dict[object, object] = {}
    for name, value in pairs:
        if not isinstance(name, str | int | float | None):
            raise _NotPlainData("has a list or dict as the name of a parameter")
        if name in result:
            raise _NotPlainData(f"gives {name!r} twice")
        result[name] = value
    return result


def _finite(value: object) -> object:
    """Hold JSON, which knows NaN and 1e999, to the same bounds."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return _bounded(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
