"""The parameters column: JSON or a Python dict, arithmetic on numbers, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.adapters.registry.parameters import read_parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("{}", {}),
        ('{"depth": 5, "rate": 0.01}', {"depth": 5, "rate": 0.01}),
        ('{"deep": {"a": [1, null, true, "x"]}}', {"deep": {"a": [1, None, True, "x"]}}),
        ("{'depth': 5, 'flag': True, 'none': None}", {"depth": 5, "flag": True, "none": None}),
        ("{'layers': (64, 32), 'names': ['a', 'b'],}", {"layers": (64, 32), "names": ["a", "b"]}),
        ("{'seconds': 13*3600}", {"seconds": 46800}),
        ("{'x': -(1 + 2) * 3 / 4 - +5}", {"x": -7.25}),
        ("{'rate': 1e-3, 'big': 1_000_000}", {"rate": 0.001, "big": 1_000_000}),
        ("{´depth´: 5}", {"depth": 5}),
        ("{`depth`: 5}", {"depth": 5}),
        ("{‘depth’: 5}", {"depth": 5}),
        ("{“depth”: 5, „name“: “x”}", {"depth": 5, "name": "x"}),
        ("{“flag”: true, “none”: null}", {"flag": True, "none": None}),
        ('{"text": "it’s “quoted”"}', {"text": "it’s “quoted”"}),
        ("{'pattern': '\\d+'}", {"pattern": "\\d+"}),
        ("{'a': 'x' 'y'}", {"a": "xy"}),
        ("\n {'a': 1,\n  'b': 2}\n", {"a": 1, "b": 2}),
    ],
)
def test_json_and_python_dicts_are_read(text: str, expected: dict[str, object]) -> None:
    assert read_parameters(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "{'a': __import__('os')}",
        "{'a': open('/etc/passwd').read()}",
        "{'a': (lambda: 1)()}",
        "{'a': [x for x in (1, 2)]}",
        "{'a': ().__class__.__bases__[0]}",
        "{'a': f'{1}'}",
        "{'a': 1 if True else 2}",
        "{'a': (b := 1)}",
        "{'a': some_name}",
        "{a: 1}",
        "dict(a=1)",
        "{**{'a': 1}}",
        "{'a': [*(1, 2)]}",
        "{'a': {1, 2}}",
        "{'a': b'bytes'}",
        "{'a': 1j}",
        "{'a': ...}",
        "{'a': 2**3}",
        "{'a': 9**9**9}",
        "{'a': 7 // 2}",
        "{'a': 7 % 2}",
        "{'a': 1 << 99}",
        "{'a': ~1}",
        "{'a': not True}",
        "{'a': 1 < 2}",
        "{'a': 'x' * 1000000000}",
        "{'a': [0] * 1000000000}",
        "{'a': 'x' + 'y'}",
        "{'a': True + 1}",
        "{'a': -'x'}",
        "{'a': (yield)}",
    ],
)
def test_everything_that_is_not_plain_data_is_refused_and_never_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"nothing is run|which is not a number|neither JSON nor"):
        read_parameters(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{'a': 1", "missing quote, comma or bracket"),
        ("a: 1", "missing quote, comma or bracket"),
        ("{'a': 1}; import os", "missing quote, comma or bracket"),
        ("{'a': '\0'}", "missing quote, comma or bracket"),
        ("[1, 2]", "is not a dict"),
        ("5", "is not a dict"),
        ('"text"', "is not a dict"),
        ("{'a': 1, 'a': 2}", "gives 'a' twice"),
        ('{"a": 1, "a": 2}', "gives 'a' twice"),
        ("{1: 2}", "as the name of a parameter"),
        ("{'not a name': 2}", "as the name of a parameter"),
        ("{'class': 2}", "as the name of a parameter"),
        ("{(1, 2): 3}", "as the name of a parameter"),
        ("{'a': {(1, 2): 3}}", "as the name of a parameter"),
        ("{'a': 1/0}", "divides by zero"),
        ("{'a': 1e308*10}", "infinite"),
        ("{'a': 1e999}", "infinite"),
        ('{"a": 1e999}', "infinite"),
        ('{"a": NaN}', "not a number"),
        ('{"a": [-Infinity]}', "infinite"),
        ("{'a': 9999999999*9999999999}", "too large"),
        ('{"a": 99999999999999999999}', "too large"),
        ("{'a': 9223372036854775807 / 1e-300 * 9223372036854775807}", "infinite"),
        ('{"a": ' + "9" * 5000 + "}", "missing quote, comma or bracket"),
        ('{"a": ' + "[" * 20_000 + "]" * 20_000 + "}", "nested too deeply|missing quote"),
        ("{'a': " + "(" * 150 + "1" + ")" * 151 + "}", "missing quote"),
        ("{'a': " + "-" * 20_000 + "1}", "nested too deeply"),
        ("{'a': " + "1+" * 20_000 + "1}", "nested too deeply"),
        ("{'a': '" + "x" * 60_000 + "'}", "longer than"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_parameters(text)


numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
dicts = st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}_", fullmatch=True), plain, max_size=4)


@given(dicts)
def test_whatever_json_or_python_writes_is_read_back(parameters: dict[str, object]) -> None:
    assert read_parameters(json.dumps(parameters)) == parameters
    assert read_parameters(repr(parameters)) == parameters


@given(st.text(alphabet="{}[]()'\"‘’“”´:,.+-*/ 0123456789abcdefghijklmnopqrstuvwxyz_\\\n", max_size=60))
def test_no_text_does_anything_but_give_a_dict_or_a_reason(text: str) -> None:
    try:
        answer: object = read_parameters(text)
    except ValueError as error:
        answer = str(error)
    assert isinstance(answer, dict) or answer
