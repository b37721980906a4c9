"""Files of faults: what they may say, and every mistake told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from numebot.core.errors import ConfigError
from numebot.practice.faults.file import as_table, parse_faults, read_faults
from numebot.practice.faults.kinds import Fault, Kind
from numebot.practice.faults.switchboard import Faults
from numebot.practice.graphql.schema import root_names
from numebot.practice.spelling import camel_case

ROOTS = frozenset({"createSubmission", "submissionUploadAuth", "rounds", "account"})


def problems(*tables: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as failure:
        parse_faults({"fault": list(tables)}, operations=ROOTS, where="faults.toml")
    return failure.value.problems


def test_a_file_is_read_in_order_with_all_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(
        "[[fault]]\n"
        'operation = "create_submission"\n'
        'kind = "status-after-commit"\n'
        "times = 3\nstatus = 504\n"
        "[[fault]]\n"
        'operation = "get"\nkind = "drip"\nbytes_per_s = 2.5\nprobability = 0.5\n'
        "[[fault]]\n"
        'kind = "several-errors"\nmessages = ["one", "two"]\nuntil_s = 60\n'
    )
    assert read_faults(path, operations=ROOTS) == (
        Fault(Kind.STATUS_AFTER_COMMIT, "createSubmission", times=3, status=504),
        Fault(Kind.DRIP, "get", bytes_per_s=2.5, probability=0.5),
        Fault(Kind.SEVERAL_ERRORS, messages=("one", "two"), until_s=60),
    )


def test_every_kind_can_be_written_down() -> None:
    for kind in Kind:
        assert parse_faults({"fault": [{"kind": kind.value}]}, operations=ROOTS, where="x") == (Fault(kind),)


def test_all_mistakes_are_told_at_once_with_what_was_meant() -> None:
    found = problems(
        {"kind": "rest", "operation": "createSubmision"},
        {"kind": "reset", "operation": "rounds", "tmes": 2},
        {"operation": "rounds"},
        {"kind": "status", "status": 999, "probability": 2, "times": 0.5},
        "reset",
    )
    assert found[:3] == (
        'faults.toml, fault 1: kind: "rest" does not exist; did you mean "reset"?',
        'faults.toml, fault 1: operation: "createSubmision" does not exist; did you mean "createSubmission"?',
        'faults.toml, fault 2: "tmes" is not a setting of a fault; did you mean "times"?',
    )
    assert found[3].startswith("faults.toml, fault 3: kind: is missing; allowed are bad-json, ")
    assert found[4:] == (
        "faults.toml, fault 4: status: 999 is not allowed; it must be a whole number, 200 to 599.",
        "faults.toml, fault 4: probability: 2 is not allowed; it must be 0 to 1.",
        "faults.toml, fault 4: times: 0.5 is not allowed; it must be a whole number, 1 or more.",
        "faults.toml, fault 5: must be a table with at least a kind.",
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "put-dropped", "operation": "rounds"}, 'only happen to the operation "put"'),
        ({"kind": "ignore-range", "operation": "put"}, 'only happen to the operation "get-range"'),
        ({"kind": "data-null", "operation": "get"}, "only happen to the API"),
        ({"kind": "hang", "seconds": -1}, "only clock-skew"),
        ({"kind": "hang", "from_s": 9, "until_s": 9}, "would never strike"),
        ({"kind": "reset", "times": True}, "times: True is not allowed"),
        ({"kind": "reset", "seconds": "2"}, "seconds: '2' is not allowed"),
        ({"kind": "several-errors", "messages": "one"}, "must be a list of texts"),
        ({"kind": "bad-name", "name": 5}, "name: 5 is not a text"),
        ({"kind": ["reset"]}, "does not exist"),
        ({"kind": "reset", "operation": 7}, '"7" does not exist'),
    ],
)
def test_a_fault_that_could_never_strike_is_a_mistake(table: dict[str, object], words: str) -> None:
    assert words in " ".join(problems(table))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[[faults]]\nkind = 'reset'\n", 'did you mean "fault"'),
        ("[fault]\nkind = 'reset'\n", "double brackets"),
        ("kind = ", "not TOML"),
    ],
)
def test_a_file_of_another_form_is_explained(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"faults\.toml") as failure:
        read_faults(path, operations=ROOTS)
    assert words in str(failure.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read \(No such file"):
        read_faults(tmp_path / "gone.toml", operations=ROOTS)


def test_a_fault_is_shown_as_it_would_be_written() -> None:
    fault = Fault(Kind.SEVERAL_ERRORS, "rounds", times=2, messages=("one",))
    faults = Faults([fault], now=lambda: None)  # type: ignore[arg-type, return-value]
    table = as_table(faults.switched()[0])
    assert (table.pop("seen"), table.pop("struck")) == (0, 0)
    assert parse_faults({"fault": [table]}, operations=ROOTS, where="x") == (fault,)


def test_names_are_accepted_in_both_spellings() -> None:
    names = ("create_submission", "createSubmission", "return_1_day", "__typename", "*")
    assert [camel_case(name) for name in names] == [
        "createSubmission",
        "createSubmission",
        "return1Day",
        "__typename",
        "*",
    ]


def test_the_roots_are_those_of_the_schema() -> None:
    assert {"rounds", "account", "createSubmission", "submissionUploadAuth", "listDatasets"} <= root_names()
    assert "Query" not in root_names()
