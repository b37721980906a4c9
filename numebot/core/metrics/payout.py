"""What era scores would have paid by a round's settings, as shares of the stake."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from numebot.core.payouts import NotKnown, PayoutTerms

KINDS: Mapping[str, str] = {"v2_corr": "corr", "corr": "corr", "mmc": "mmc", "bmc": "bmc", "fnc": "fnc"}
"""How the API's names of metrics begin, and which of ours they are; "corr60" and "v2_corr20" differ by their target."""


def era_payouts(scores: Mapping[str, pd.DataFrame], terms: PayoutTerms) -> pd.DataFrame | NotKnown:
    """Return clip(factor · Σ multiplier · score, ±clip) per era and model, a share of the stake.

    `scores` are eras × models by kind: corr, mmc, bmc, fnc. A validation era stands for a round here, so that this
    tells models apart and promises no money. nan where one of the scores is not known.
    """
    total = pd.DataFrame()
    for metric, multiplier in _by_name(terms).items():
        if not multiplier:
            continue  # listed, and worth nothing
        kind = kind_of(metric)
        if kind is None or kind not in scores:
            return NotKnown(f"the round pays for {metric}, which is not measured here")
        part = scores[kind] * multiplier
        total = part if total.empty else total + part
    return (total * float(terms.factor)).clip(-float(terms.clip), float(terms.clip))


def kind_of(metric: str) -> str | None:
    """Return which score a metric of the API is: "corr" for "v2_corr20" and "corr60"; None for one of another kind."""
    rest = {kind: metric.removeprefix(begin) for begin, kind in KINDS.items() if metric.startswith(begin)}
    return next((kind for kind, end in rest.items() if end.removeprefix("_v3").isdecimal() or end in ("", "_v3")), None)


def _by_name(terms: PayoutTerms) -> dict[str, float]:
    return {name: float(multiplier) for (name, _), multiplier in terms.multipliers.items()}
