"""Data files: which version, from where, whole and of this round, and only the columns asked for."""

from numebot.adapters.datasets.companions import BENCHMARKS, META_MODEL
from numebot.adapters.datasets.datasets import Datasets
from numebot.adapters.datasets.kept import KeptFiles
from numebot.adapters.datasets.live import LiveData
from numebot.adapters.datasets.parquet import read_columns
from numebot.adapters.datasets.rows import Selection

__all__ = ["BENCHMARKS", "META_MODEL", "Datasets", "KeptFiles", "LiveData", "Selection", "read_columns"]
