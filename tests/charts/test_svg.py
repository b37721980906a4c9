from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from numebot.charts.page import page, table, tiles
from numebot.charts.scale import mark_text, value_scale
from numebot.charts.svg import WIDTH, era_bars, era_lines, named_bars

SVG = "{http://www.w3.org/2000/svg}"
ERAS = ["0575", "0576", "0577"]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg[: svg.index("</svg>") + len("</svg>")])


@pytest.mark.parametrize("values", [[0.02, 0.31], [-0.04, -0.01], [0.0], [], [math.nan, 7000.0], [-1e-6, 2e-6]])
def test_a_scale_holds_every_value_and_zero_between_round_marks(values: list[float]) -> None:
    scale, marks = value_scale(values, 100, 0)
    known = [value for value in [*values, 0.0] if math.isfinite(value)]
    assert all(-1e-9 <= scale.place(value) <= 100 + 1e-9 for value in known)
    assert 2 <= len(marks) <= 12
    assert len({mark_text(mark, marks) for mark in marks}) == len(marks)


def test_nothing_below_zero_takes_no_room_below_zero() -> None:
    assert value_scale([0.1, 0.3], 0, 1)[1][0] == 0
    assert value_scale([-0.1, -0.3], 0, 1)[1][-1] == 0


def test_marks_have_the_digits_that_they_need() -> None:
    marks = [-0.05, -0.025, 0.0]
    assert [mark_text(mark, marks) for mark in marks] == ["−0.050", "−0.025", "0.000"]


def test_bars_go_up_and_down_and_eras_without_a_value_have_none() -> None:
    root = parsed(era_bars(ERAS, [0.02, math.nan, -0.01], title="corr"))
    bars = root.findall(f"{SVG}rect")
    assert [bar.get("class") for bar in bars] == ["up", "down"]
    assert [bar.findtext(f"{SVG}title") for bar in bars] == ["era 0575: 0.0200", "era 0577: -0.0100"]
    assert all(0 <= float(bar.get("x", "")) <= WIDTH for bar in bars)


def test_a_line_breaks_where_it_has_no_value() -> None:
    svg = era_lines([*ERAS, "0578"], {"one": [1, 2, math.nan, 3]}, title="sum")
    (path,) = parsed(svg).findall(f"{SVG}path")
    assert path.get("d", "").count("M") == 2
    assert svg.count("<circle") == 3


def test_a_value_between_gaps_is_seen_in_a_long_history_too() -> None:
    values = [math.nan] * 100
    values[50] = 1.0
    svg = era_lines([f"{era:04d}" for era in range(100)], {"one": values}, title="sum")
    assert svg.count("<circle") == 1


def test_names_cannot_be_markup() -> None:
    bad = "<script>alert(1)</script>&\""
    for svg in (named_bars({bad: 0.5}, title=bad), era_lines(ERAS, {bad: [1, 2, 3]}, title=bad), table([bad], [[bad]])):
        assert "<script" not in svg
    assert "<script" not in page(bad, [tiles([(bad, bad)])])
    assert parsed(named_bars({bad: 0.5}, title=bad)).findtext(f"{SVG}text/{SVG}title") == bad
