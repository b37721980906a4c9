"""Plots as inline SVG: bars per era, lines over eras, bars by name, dots per trial. Colours come from the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate

from numebot.charts.scale import Scale, mark_text, value_scale

WIDTH, HEIGHT = 920, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 10, 26
ROW = 19
"""Height of a bar that lies, in pixels."""
DOTTED = 60
"""Up to so many eras each value has a dot; beyond that only one between gaps, which would have no line."""
LABELS = 10
"""About so many eras are named below a plot."""


def era_bars(eras: Sequence[str], values: Sequence[float], *, title: str) -> str:
    """Return a bar per era, up or down from zero; eras without a value stay empty."""
    scale, marks = value_scale(values, HEIGHT - BOTTOM, TOP)
    zero = scale.place(0)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(eras))
    # A gap between bars would flicker where hundreds of them share the width.
    thick = step * 0.8 if step > 3 else step
    bars = []
    for number, (era, value) in enumerate(zip(eras, values, strict=True)):
        if math.isfinite(value):
            top, bottom = sorted((scale.place(value), zero))
            kind = "up" if value >= 0 else "down"
            bars.append(
                f'<rect class="{kind}" x="{LEFT + number * step + (step - thick) / 2:.2f}" y="{top:.2f}"'
                f' width="{thick:.2f}" height="{max(bottom - top, 0.5):.2f}">'
                f"<title>era {escape(era)}: {value:.4f}</title></rect>"
            )
    return _plot(title, [*_grid(scale, marks), *bars, *_era_labels(eras, step)])


def era_lines(eras: Sequence[str], lines: Mapping[str, Sequence[float]], *, title: str) -> str:
    """Return a line per name over the eras, with a legend; a line breaks where it has no value."""
    scale, marks = value_scale([value for values in lines.values() for value in values], HEIGHT - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(eras))
    drawn = []
    for number, (name, values) in enumerate(lines.items()):
        points: list[tuple[float, float] | None] = [
            (LEFT + (place + 0.5) * step, scale.place(value)) if math.isfinite(value) else None
            for place, value in enumerate(values)
        ]
        tail = f"<title>{escape(name)}</title>"
        drawn.append(f'<path class="line c{number % 8}" d="{_way(points)}">{tail}</path>')
        drawn += [
            f'<circle class="dot c{number % 8}" cx="{point[0]:.2f}" cy="{point[1]:.2f}" r="2.6">'
            f"<title>{escape(name)}, era {escape(era)}: {value:.4f}</title></circle>"
            for place, (point, era, value) in enumerate(zip(points, eras, values, strict=True))
            if point is not None and (len(eras) <= DOTTED or _stands_alone(points, place))
        ]
    plot = _plot(title, [*_grid(scale, marks), *reversed(drawn), *_era_labels(eras, step)])
    return plot + legend(list(lines))


def trial_dots(trials: Sequence[tuple[int, float, str]], *, title: str) -> str:
    """Return a dot per trial (number, value, what a pointer over it is told) and a line through the best so far."""
    scale, marks = value_scale([value for _, value, _ in trials], HEIGHT - BOTTOM, TOP)
    last = max(number for number, _, _ in trials)
    step = (WIDTH - LEFT - RIGHT) / (last + 1)
    places = [LEFT + (number + 0.5) * step for number, _, _ in trials]
    best = accumulate((value for _, value, _ in trials), max)
    way = _way([(place, scale.place(value)) for place, value in zip(places, best, strict=True)])
    dots = (
        f'<circle class="dot c0" cx="{place:.2f}" cy="{scale.place(value):.2f}" r="4">'
        f"<title>{escape(words)}</title></circle>"
        for place, (_, value, words) in zip(places, trials, strict=True)
    )
    labels = _era_labels([str(number) for number in range(last + 1)], step)
    return _plot(title, [*_grid(scale, marks), f'<path class="line c2" d="{way}"/>', *dots, *labels])


def named_bars(values: Mapping[str, float], *, title: str, width: int = WIDTH) -> str:
    """Return a lying bar per name with its value, in the order given."""
    left, right = 300, 64
    scale, marks = value_scale(list(values.values()), left, width - right)
    height = ROW * len(values) + BOTTOM
    rows = [
        f'<line class="grid" x1="{scale.place(mark):.2f}" y1="0" x2="{scale.place(mark):.2f}" y2="{height - BOTTOM}"/>'
        f'<text class="mark" x="{scale.place(mark):.2f}" y="{height - 8}" text-anchor="middle">'
        f"{mark_text(mark, marks)}</text>"
        for mark in marks
    ]
    for number, (name, value) in enumerate(values.items()):
        y = number * ROW
        start, end = sorted((scale.place(0), scale.place(value)))
        short = name if len(name) <= 42 else name[:41] + "…"
        rows.append(
            f'<text class="name" x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(short)}'
            f"<title>{escape(name)}</title></text>"
            f'<rect class="{"up" if value >= 0 else "down"}" x="{start:.2f}" y="{y + 3}"'
            f' width="{max(end - start, 0.5):.2f}" height="{ROW - 6}"/>'
            f'<text class="value" x="{width - right + 8}" y="{y + 13}">{_signed(value)}</text>'
        )
    return _plot(title, rows, width=width, height=height)


def legend(names: Sequence[str]) -> str:
    """Return which colour is who."""
    parts = (f'<span><i class="c{number % 8}"></i>{escape(name)}</span>' for number, name in enumerate(names))
    return f'<p class="legend">{"".join(parts)}</p>'


def _plot(title: str, parts: Sequence[str], *, width: int = WIDTH, height: int = HEIGHT) -> str:
    content = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">\n{content}\n</svg>'
    )


def _grid(scale: Scale, marks: Sequence[float]) -> list[str]:
    return [
        f'<line class="{"zero" if abs(mark) < 1e-12 else "grid"}" x1="{LEFT}" y1="{scale.place(mark):.2f}"'
        f' x2="{WIDTH - RIGHT}" y2="{scale.place(mark):.2f}"/>'
        f'<text class="mark" x="{LEFT - 8}" y="{scale.place(mark) + 4:.2f}" text-anchor="end">'
        f"{mark_text(mark, marks)}</text>"
        for mark in marks
    ]


def _era_labels(eras: Sequence[str], step: float) -> list[str]:
    every = max(1, math.ceil(len(eras) / LABELS))
    return [
        f'<text class="mark" x="{LEFT + (number + 0.5) * step:.2f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(eras[number])}</text>"
        for number in range(0, len(eras), every)
    ]


def _way(points: Sequence[tuple[float, float] | None]) -> str:
    way, is_down = [], False
    for point in points:
        if point is not None:
            way.append(f"{'L' if is_down else 'M'}{point[0]:.2f} {point[1]:.2f}")
        is_down = point is not None
    return " ".join(way)


def _stands_alone(points: Sequence[tuple[float, float] | None], place: int) -> bool:
    around = [*points[max(0, place - 1) : place], *points[place + 1 : place + 2]]
    return all(point is None for point in around)


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "\N{MINUS SIGN}")
