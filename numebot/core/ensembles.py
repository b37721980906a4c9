"""Which models an ensemble is made of, and in which order that lets them be played.

The members stand in the parameters of an ensemble's row, as a list of names or as names with their weights:
`{"members": ["my_model", "my_other_model"]}` or `{"members": {"my_model": 2, "my_other_model": 1}}`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from numebot.core.types import ModelConfig

MEMBERS = "members"
"""The parameter that names them."""


def members_of(config: ModelConfig) -> tuple[str, ...]:
    """Return the members of an ensemble, each once; () for any other model."""
    found = config.parameters.get(MEMBERS, ()) if config.is_ensemble else ()
    names = [found] if isinstance(found, str) else found if isinstance(found, Iterable) else ()
    return tuple(dict.fromkeys(str(name) for name in names))


def circles(configs: Iterable[ModelConfig]) -> dict[str, str]:
    """Return what is wrong with each ensemble that is, over whatever detours, its own member."""
    members = {config.name: members_of(config) for config in configs}
    found = {}
    for name in members:
        way = _way_back(name, members)
        if way:
            found[name] = f"members: {' > '.join(way)} is a circle. An ensemble cannot be made of itself."
    return found


def depths(configs: Iterable[ModelConfig]) -> dict[str, int]:
    """Return for each model how many stages must have been played before it: 0 for all but ensembles.

    Members that are no model of `configs` and circles count as nothing.
    """
    known = {config.name: config for config in configs}
    stages: dict[str, int] = {}

    def depth(name: str, above: tuple[str, ...]) -> int:
        if name not in stages:
            config = known[name]
            below = [depth(one, (*above, name)) for one in members_of(config) if one in known and one not in above]
            stages[name] = 1 + max(below, default=0) if config.is_ensemble else 0
        return stages[name]

    return {name: depth(name, (name,)) for name in known}


def members_problem(config: ModelConfig, models: Collection[str]) -> str | None:
    """Return which members of a row are none of the `models` that are played beside it; None when all are."""
    wrong = [f'"{name}"' for name in members_of(config) if name not in models]
    if not wrong:
        return None
    words = "is none" if len(wrong) == 1 else "are none"
    return f"members: {', '.join(wrong)} {words} of the enabled models of this table. The ensemble has to do without."


def _way_back(name: str, members: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return a way over members that leads from a model to itself, the shortest first; [] when there is none."""
    ways, seen = [[name]], set()
    while ways:
        way = ways.pop(0)
        for member in members.get(way[-1], ()):
            if member == name:
                return [*way, name]
            if member not in seen:
                seen.add(member)
                ways.append([*way, member])
    return []
