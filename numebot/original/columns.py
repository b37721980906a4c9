"""The names of columns that plugins of the original numebot ask for as NC.target and the like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NumeraiColumns:
    """One attribute per column; most are called as the column is."""

    target: str = "target"
    prediction: str = "prediction"
    data_type: str = "data_type"
    era: str = "era"
    val: str = "validation"
    test: str = "test"
    live: str = "live"
    name: str = "numerai_name"
    model_code: str = "model_code"
    parameters: str = "parameters"
    description: str = "description"
    enabled: str = "enabled"
    is_ensemble: str = "is_ensemble"
    model_name: str = "username"
    username: str = "username"
    round: str = "round"
    date: str = "date"
    correlation: str = "correlation"
    timestamp: str = "timestamp"
    rank: str = "rank"
    prevRank: str = "prevRank"  # noqa: N815 # the plugins' spelling


NC = NumeraiColumns()
