from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.cli.tables import Styled, table_lines

HEAD = ("model", "state", "what")


def shown(*rows: tuple[str | Styled, ...], width: int = 80) -> list[str]:
    return [click.unstyle(line) for line in table_lines(HEAD, rows, width=width)]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert shown(("alpha", "confirmed", "x"), ("b", "failed", "why")) == [
        "model  state      what",
        "─────  ─────────  ────",
        "alpha  confirmed  x",
        "b      failed     why",
    ]


def test_what_does_not_fit_is_folded_at_spaces_and_nothing_vanishes() -> None:
    lines = shown(("alpha", "failed", "the server said that it is too busy"), width=40)
    assert lines[2:] == [
        "alpha  failed  the server said that it",
        "               is too busy",
    ]


def test_a_word_without_spaces_is_broken_where_the_room_ends() -> None:
    lines = shown(("alpha", "failed", "x" * 30), width=34)
    assert [line.strip() for line in lines[3:]] == ["x" * 11]
    assert all(len(line) <= 34 for line in lines)


def test_lines_of_a_cell_stay_lines() -> None:
    assert shown(("alpha", "failed", Styled("first", "red").append("\n→ second")))[2:] == [
        "alpha  failed  first",
        "               → second",
    ]


def test_wide_letters_take_two_places() -> None:
    assert shown(("模型", "ok", "x"))[2] == "模型   ok     x"


def test_colours_of_pieces_survive_folding() -> None:
    text = Styled("green", "green").append(" and red", "red")
    (line,) = list(table_lines(("what",), [(text,)], width=80))[2:]
    assert line == click.style("green", fg="green") + click.style(" and red", fg="red")


def test_no_rows_is_a_head_alone() -> None:
    assert len(shown()) == 2


TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=60)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=4), st.integers(28, 90))
def test_every_letter_is_shown_and_no_line_is_too_long(rows: list[tuple[str, ...]], width: int) -> None:
    lines = shown(*rows, width=width)
    assert all(len(line) <= width for line in lines)
    expected = sorted("".join("".join(row) for row in rows).replace(" ", ""))
    assert sorted("".join(lines[2:]).replace(" ", "")) == expected


@pytest.mark.parametrize("colour", ["bold", "red", None])
def test_a_piece_has_a_colour_or_none(colour: str | None) -> None:
    assert click.unstyle(str(Styled("text", colour))) == "text"
