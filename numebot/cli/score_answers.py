"""Scores for machines: the fields of `numebot scores --json` and the columns of `--csv`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from numebot.core.scorecards import ModelScores, RoundScores, mean_of, metrics_of

COLUMNS = (
    "tournament", "model", "model_id", "round", "resolved", "metric", "version", "day", "value", "percentile"
)  # fmt: skip


def as_answer(tournament: int, cards: Sequence[ModelScores]) -> Mapping[str, object]:
    """Return a tournament's answer; the help of the command names the fields."""
    return {"tournament": tournament, "models": [_model(card) for card in cards]}


def as_rows(tournament: int, cards: Sequence[ModelScores]) -> Iterator[tuple[object, ...]]:
    """Yield a row per model, round and metric."""
    for card in cards:
        for one in card.rounds:
            for metric, score in sorted(one.scores.items()):
                model = (tournament, card.model.name, card.model.id)
                yield (*model, one.round_number, str(one.is_resolved).lower(), *metric, *score)


def _model(card: ModelScores) -> Mapping[str, object]:
    return {
        "name": card.model.name,
        "model_id": card.model.id,
        "listed": card.model.is_listed,
        "former_names": list(card.model.former_names),
        "rounds": [_round(one) for one in card.rounds],
        "means": {"resolved": _means(card.resolved), "running": _means(card.running)},
    }


def _round(one: RoundScores) -> Mapping[str, object]:
    return {
        "round": one.round_number,
        "resolved": one.is_resolved,
        "scores": [
            {"metric": metric.name, "version": metric.version, **score._asdict()}
            for metric, score in sorted(one.scores.items())
        ],
    }


def _means(rounds: Sequence[RoundScores]) -> list[Mapping[str, object]]:
    means = [(metric, mean_of(rounds, metric)) for metric in metrics_of(rounds)]
    return [
        {"metric": metric.name, "version": metric.version, "mean": mean.value, "rounds": mean.rounds}
        for metric, mean in means
        if mean is not None
    ]
