"""The models that the results are about, also those that were renamed or are gone, and how a person names them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numebot.core.errors import ConfigError


@dataclass(frozen=True)
class KnownModel:
    """A model slot of which there are results.

    `name` is the present one, or the last one of a slot that the account no longer lists; `former_names` oldest first.
    """

    tournament: int
    id: str
    name: str
    is_listed: bool = True
    former_names: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What is to be said beside the name; empty for most models."""
        parts = [f"formerly {', '.join(self.former_names)}"] if self.former_names else []
        if not self.is_listed:
            parts.append("no longer listed")
        return ", ".join(parts)


def chosen_models(models: Sequence[KnownModel], names: Iterable[str]) -> list[KnownModel]:
    """Return the models that are meant, each once: by name, else by former name, else by id; without names all.

    A name that belongs to a model of the account means that one alone, whoever else had it before.
    Raises: ConfigError for names that nobody has or had.
    """
    wanted = list(names)
    if not wanted:
        return list(models)
    found: dict[tuple[int, str], KnownModel] = {}
    unknown = []
    for name in wanted:
        meant = _meant(models, name)
        found.update({(model.tournament, model.id): model for model in meant})
        if not meant:
            unknown.append(name)
    if unknown:
        raise ConfigError(_unknown_words(models, unknown))
    return list(found.values())


def _meant(models: Sequence[KnownModel], name: str) -> list[KnownModel]:
    """Return the best matches of a name in each tournament: a name is unique within one only."""
    best: dict[int, tuple[int, list[KnownModel]]] = {}
    for model in models:
        rank = _rank(model, name)
        if rank is None:
            continue
        known, meant = best.get(model.tournament, (rank, []))
        if rank < known:
            known, meant = rank, []
        if rank == known:
            meant.append(model)
        best[model.tournament] = known, meant
    return [model for _, meant in best.values() for model in meant]


def _rank(model: KnownModel, name: str) -> int | None:
    if name == model.name:
        return 0 if model.is_listed else 1
    if name in model.former_names:
        return 2
    return 3 if name == model.id else None


def _unknown_words(models: Sequence[KnownModel], unknown: Sequence[str]) -> str:
    names = sorted({name for model in models for name in (model.name, *model.former_names)})
    lines = []
    for name in unknown:
        close = difflib.get_close_matches(name, names, 1)
        lines.append(f'model "{name}": there are no results of it.' + (f' Did you mean "{close[0]}"?' if close else ""))
    listed = ", ".join(sorted({model.name for model in models})) or "no model; `numebot sync` brings them home"
    return "\n".join([*lines, f"Results are there of: {listed}."])
