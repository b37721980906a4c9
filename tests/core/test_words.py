"""Words of plugins in messages: printable, storable, of bounded length."""

from __future__ import annotations

import pytest

from numebot.core.words import LONGEST, plain, words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Numerai's café – 株", "Numerai's café – 株"),
        ("a\0b\x07c\x7fd\x9be", "abcde"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after \x1b]8;;file\x1b\\it", "after it"),
        ("\x1bc\x1b(Bplain", "plain"),
        ("bad \udcff name", "bad \\udcff name"),
        ("one\r\n\ttwo\u2028three\n", "one two three"),
        ("right\u202etfel", "righttfel"),
    ],
)
def test_what_a_terminal_or_a_database_would_stumble_over_goes(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_lines_stay_where_they_are_wanted() -> None:
    assert plain("one\r\n  two\x1b[0m\n", lines=True) == "one\n  two\n"


def test_a_long_text_is_cut_between_words() -> None:
    assert len(plain("x" * 5_000_000)) == LONGEST + 1
    cut = plain("word " * 300 + "s" * 40 + "ecret" * 40 + " " + "more " * 1000, longest=1600)
    assert cut == "word " * 299 + "word…"


def test_the_words_of_an_exception_are_its_type_and_first_line() -> None:
    assert words_of(ValueError("\n no GPU\nhere is a long explanation")) == "ValueError: no GPU"
    assert words_of(ValueError()) == "ValueError"


def test_an_exception_that_cannot_be_shown_is_named_all_the_same() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise SystemExit

    class Wrong(Exception):
        def __str__(self) -> str:
            return 5  # type: ignore[return-value] # what an author may get wrong

    assert words_of(Silent()) == "Silent: (its text cannot be had: __str__ raised SystemExit)"
    assert words_of(Wrong()).startswith("Wrong: (its text cannot be had: __str__ raised TypeError")
