from __future__ import annotations

from pathlib import Path

from numebot.practice.scores.metrics import Score
from numebot.practice.scores.shelf import ScoreShelf

SCORES = [Score("corr60", "v1", 1, None, None), Score("corr60", "v1", 4, 0.1 + 0.2, 0.5)]


def test_scores_come_back_as_they_were(tmp_path: Path) -> None:
    shelf = ScoreShelf(tmp_path / "scores")
    assert shelf.scores("8-1404-abc") is None
    shelf.keep("8-1404-abc", SCORES)
    assert ScoreShelf(tmp_path / "scores").scores("8-1404-abc") == SCORES
    assert shelf.scores("8-1405-abc") is None


def test_a_broken_file_and_a_place_that_is_none_cost_no_more_than_time(tmp_path: Path) -> None:
    shelf = ScoreShelf(tmp_path)
    (tmp_path / "a.json").write_text("[{")
    assert shelf.scores("a") is None
    (tmp_path / "file").touch()
    beside = ScoreShelf(tmp_path / "file")
    beside.keep("a", SCORES)
    assert beside.scores("a") is None
