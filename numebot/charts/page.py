"""A page that holds everything itself: one file, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #5c6670; --line: #e3e7eb; --zero: #9aa4ae;
  --up: #2b7a4b; --down: #b8402f; --c0: #1f6feb; --c1: #8b949e; --c2: #bf7b00; --c3: #8250df; --c4: #2b7a4b;
  --c5: #b8402f; --c6: #0a7e8c; --c7: #a0406f }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e4e8ec; --soft: #98a2ad; --line: #2a3037;
  --zero: #5f6a75; --up: #46a86c; --down: #e0695a; --c0: #6ea8ff; --c1: #98a2ad; --c2: #e0a63c; --c3: #b392f0;
  --c4: #46a86c; --c5: #e0695a; --c6: #4fc0cd; --c7: #e08ab4 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 2rem 0 .2rem } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem }
p { margin: .3rem 0 } .soft, figcaption { color: var(--soft) } .note { border-left: 3px solid var(--c2);
  padding-left: .7rem; margin: .5rem 0; overflow-wrap: anywhere }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0 } .tiles div { border: 1px solid var(--line);
  border-radius: .5rem; padding: .5rem .9rem; min-width: 8.2rem } .tiles b { display: block; font-size: 1.35rem;
  font-variant-numeric: tabular-nums } .tiles span { color: var(--soft); font-size: .85rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
th { color: var(--soft); font-weight: 500; font-size: .85rem; white-space: normal; vertical-align: bottom }
th:first-child, td:first-child { text-align: left; width: 38%; white-space: normal }
table { margin-bottom: 1rem; table-layout: fixed; width: 100%; min-width: 52rem }
table.loose { table-layout: auto }
table.loose :is(th, td):is(:first-child, :last-child) { width: auto; text-align: left;
  white-space: normal }
figure { margin: .4rem 0; overflow-x: auto } figure svg { min-width: 36rem } figcaption { font-size: .85rem }
svg { width: 100%; height: auto; display: block } svg text { fill: var(--ink); font: 12px system-ui, sans-serif }
svg text.mark { fill: var(--soft) } svg .grid { stroke: var(--line) } svg .zero { stroke: var(--zero) }
svg .up { fill: var(--up) } svg .down { fill: var(--down) } svg .line { fill: none; stroke-width: 1.8;
  stroke-linejoin: round }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .85rem; color: var(--soft) }
.legend span { display: inline-flex; align-items: center; gap: .4rem } .legend i { width: .8rem; height: .8rem;
  border-radius: 2px }
""" + "\n".join(
    f".line.c{number} {{ stroke: var(--c{number}) }} .dot.c{number} {{ fill: var(--c{number}) }} "
    f"i.c{number} {{ background: var(--c{number}) }}"
    for number in range(8)
)


def page(title: str, parts: Sequence[str]) -> str:
    """Return a whole HTML document around some parts."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def figure(heading: str, plot: str, caption: str = "") -> str:
    """Return a plot below its heading."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<h2>{escape(heading)}</h2><figure>{plot}{below}</figure>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, is_loose: bool = False) -> str:
    """Return a table of plain text; the first column stands left.

    Tables below each other have the same columns; a loose one stands alone, each column as wide as its own texts.
    """
    kind = ' class="loose"' if is_loose else ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def tiles(figures: Sequence[tuple[str, str]]) -> str:
    """Return large figures side by side: (what it is, its value)."""
    return '<div class="tiles">' + "".join(
        f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in figures
    ) + "</div>"  # fmt: skip


def notes(texts: Sequence[str]) -> str:
    """Return what a reader must know, a line each."""
    return "".join(f'<p class="note">{escape(text)}</p>' for text in texts)
