"""What is known of a model's predictions before its turn, so that the plugins of several models can run at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from numebot.adapters.runner.known import plugin_key
from numebot.adapters.runner.runner import Runner
from numebot.core.errors import NumebotError
from numebot.core.fallback import PREVIOUS
from numebot.core.submissions import has_reached
from numebot.core.types import ModelConfig, State, Submission
from numebot.steps.ladder import Source
from numebot.steps.live_files import LiveFiles
from numebot.steps.look_ahead import LookAhead, Wanted
from numebot.steps.predicting import Predictor


@dataclass(frozen=True)
class Prepared:
    """The source of a model's predictions, or what there is in the way of it; it is raised at the model's turn."""

    rung: str | None
    source: Source | None = None
    error: NumebotError | None = None

    def required(self) -> Source:
        """Return the source. Raises: what was in its way."""
        if self.error is not None:
            raise self.error
        assert self.source is not None, "it is the one or the other"
        return self.source

    def ran_s(self) -> float:
        """Return how many seconds its plugin ran beside the pass; 0 where it did not."""
        return self.source.took_s() if self.source is not None and self.source.took_s is not None else 0.0

    def made_by(self, ahead: LookAhead, model: str) -> Prepared:
        """Return the same with predictions from the look-ahead, where they are made there."""
        if self.source is None or not ahead.is_made_here(model):
            return self
        twin = ahead.twin_of(model)
        words = f"{self.source.words} (the same plugin as {twin}, run once)".strip() if twin else self.source.words
        took_s = (lambda: 0.0) if twin else (lambda: ahead.took_s(model))
        source = replace(self.source, predict=lambda: ahead.take(model), took_s=took_s, words=words)
        return replace(self, source=source)


@dataclass(frozen=True)
class Turn:
    """A model that is to be played: its row as its turn will find it, and the rung that it is time for."""

    config: ModelConfig
    row: Submission
    rung: str | None


def prepared(turns: Sequence[Turn], runner: Runner, predictor: Predictor, files: LiveFiles) -> Mapping[str, Prepared]:
    """Return what is known of the models whose own plugin may have to run; the others come by themselves.

    All plugins describe themselves first, at once. Never raises for one model.
    """
    own = [turn for turn in turns if turn.rung in (None, PREVIOUS) and not has_reached(turn.row, State.UPLOADED)]
    if own:
        # Meanwhile the libraries of the plugins load, which they need to describe themselves.
        predictor.fetch_early(own[0].config, files)
    silent = runner.describe_many(turn.config for turn in own)
    found = {}
    for turn in own:
        error = silent.get(plugin_key(turn.config))
        found[turn.config.name] = Prepared(turn.rung, error=error) if error else _prepared(turn, predictor, files)
    return found


def _prepared(turn: Turn, predictor: Predictor, files: LiveFiles) -> Prepared:
    try:
        return Prepared(turn.rung, predictor.source(turn.row, turn.config, files, rung=turn.rung))
    except NumebotError as error:
        return Prepared(turn.rung, error=error)


def wanted(turns: Sequence[Turn], known: Mapping[str, Prepared], predictor: Predictor) -> list[Wanted]:
    """Return the predictions that plugins have to make now, in the order of the turns."""
    found = []
    for turn in turns:
        ready = known.get(turn.config.name)
        source = ready.source if ready else None
        if source is not None and source.request is not None and predictor.is_to_predict(turn.row, source):
            found.append(Wanted(turn.config.name, source.request, source.key))
    return found
