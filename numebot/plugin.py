'''The plugin contract: how to write a model for numebot.

A plugin is one file with one class, a subclass of `Model`. Only `predict` is required. This is a whole one:

    from __future__ import annotations

    import pandas as pd
    from sklearn.linear_model import Ridge

    from numebot.plugin import Model, TrainingData


    class RidgeModel(Model):
        """Ridge regression on Numerai's small feature set."""

        feature_set = "small"
        target = "target"

        def __init__(self, alpha: float = 100.0) -> None:
            self.regression = Ridge(alpha=alpha)

        def fit(self, data: TrainingData) -> None:
            self.regression.fit(data.X, data.y)

        def predict(self, live: pd.DataFrame) -> pd.Series:
            return pd.Series(self.regression.predict(live), index=live.index)

Save it as `models/ridge_model.py`, give it a row in `model_configs.csv` and train it:

    numerai_name,model_code,parameters
    my_model,models.ridge_model,"{""alpha"": 50}"

* `feature_set` is the name of a set in Numerai's features.json ("small", "medium", "all", …) or a list of features.
  Missing history is 2 in today's data, but may be NaN one day: fill it if your library cannot.
* `target` is the target that `fit` wants, or a list of them; the first one is `data.y` and the one that is evaluated.
* The parameters of the CSV row arrive in the constructor as keywords. Give each a default.
* `predict` gets the live rows, index `id`, with exactly the features of the training in the same order. It returns one
  number per row: a Series or a frame of one column (aligned by the index), a 1-d array or a list (by position).
  Integers and floats are numbers; text, booleans, dates, categories, complex and masked values are refused.
* numebot.workshop has splits over eras, transformers of features, ensembles over targets and neutralisation, ready for
  scikit-learn; `data.feature_sets` names Numerai's groups of features.
* Any scale is allowed, since numebot ranks into (0, 1). With `scale = None` your own numbers are kept; they must lie in
  [0, 1].
* Without a `fit` of its own a model needs no training. `save` and `load` pickle the model unless you write your own;
  native formats of a library survive its updates better (see models/example_xgboost.py).
* `data.X` is a frame. Rows that memory cannot hold are for a plugin with `takes = "batches"`, which reads them through
  `data.lightgbm_dataset()`, `data.xgboost_matrix()`, `data.numpy_batches()` or `data.torch_dataset()` alone. They need
  far less memory for frames, too (see models/example_lightgbm.py).
* `feature_set`, `target`, `takes` and `scale` are read right after the constructor, which gets the parameters of the
  training where there was one.
* Each call is a process of its own, with a time and a memory limit, which imports your file anew: nothing that you keep
  in memory is there the next time. It may read its libraries, your folder of plugins and the Python code beside it,
  and write to the working folder, which is gone afterwards. It has no network unless its row says `network`.
* Threads and worker processes (`n_jobs`, joblib, multiprocessing) count together for the limits. Workers that talk over
  sockets (multiprocessing.Manager, PyTorch's DataLoader with `num_workers` above 0) need `network` in the row too.
* A plugin that combines the predictions of other models is an `Ensemble`, see there.
* `live.attrs` tells of the round: "tournament" (8), "round" (1404), "data_version" ("v5.3"), and "files", the paths of
  the files that the class attribute `files` names. It is empty in a training and in `check_model`.
* What you print goes to logs/<model>.log in the data folder.
* The frames are yours alone for the length of the call, but leave them as they are: `check_model` says when you don't.

Check it before numebot does, in a test of your own or with `numebot models check`:

    def test_my_model_keeps_the_contract():
        assert check_model(RidgeModel) == []
'''

from __future__ import annotations

import copy
import pickle
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from numebot.core.errors import CheckFailed, PluginError
from numebot.core.predictions import aligned
from numebot.core.room import EXTERNAL_TIMES, LIGHTGBM_TIMES, XGBOOST_TIMES, has_room, require_room
from numebot.core.words import plain, text_of, words_of

if TYPE_CHECKING:
    import lightgbm
    import torch
    import xgboost

__all__ = [
    "Batch", "Ensemble", "Model", "PluginError", "TrainingData", "check_model", "needs_training", "require_model",
]  # fmt: skip

PICKLE_FILE = "model.pickle"
_MADE_UP_SETS = ("intelligence", "wisdom")
WHOLE_NUMBER_BINS = 16
"""Enough for features of five values; more take more memory and find nothing more."""


class Batch(NamedTuple):
    """Some rows: X (n, features), targets (n, targets) float32, eras (n,) of text."""

    X: npt.NDArray[Any]
    targets: npt.NDArray[np.float32]
    eras: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What `fit` learns from: one row per id, no row without the first target.

    Shapes: X (n, features) int8 0-4 (float where the file has gaps), index id; targets (n, targets) float, same index,
    the first column is the one that is evaluated; eras (n,) str, same index, oldest first in Numerai's files.
    `target` is the resolved name of the first target: where the plugin said "target", the target that it stood for in
    this data version. `feature_sets` are those of features.json; empty where the data version has none.
    """

    X: pd.DataFrame
    targets: pd.DataFrame
    eras: pd.Series
    target: str
    feature_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    memory_bytes: int | None = None
    """What the training may take where its owner said so (`--memory`)."""

    @property
    def y(self) -> pd.Series:
        """The first target."""
        return self.targets.iloc[:, 0]

    @property
    def features(self) -> list[str]:
        """The names of the features, in the order of the columns of X."""
        return [str(name) for name in self.X.columns]

    def numpy_batches(self, rows: int | None = None) -> Iterator[Batch]:
        """Yield all rows in order, `rows` at a time (by default 32 MB of them). X keeps its type, mostly int8."""
        from numebot.workshop.feeders.rows import Rows  # a feeder is loaded where it is used, here and below

        served = Rows(self.X)
        targets = self.targets.to_numpy(np.float32)
        for start, stop in served.batches(rows or served.rows_in(32 * 2**20)):
            yield Batch(served.batch(start, stop), targets[start:stop], self.eras.iloc[start:stop].to_numpy())

    def lightgbm_dataset(self, parameters: Mapping[str, object] | None = None) -> lightgbm.Dataset:
        """Return a filled dataset for `lightgbm.train`, labelled with y, in at most 2.5 × the size of X + 400 MB.

        `parameters` are those of the training. Raises: PluginError when it would not fit into `memory_bytes`.
        """
        from numebot.workshop.feeders import lightgbm as feeder
        from numebot.workshop.feeders.rows import Rows

        rows = Rows(self.X)
        require_room("lightgbm_dataset", rows, self.memory_bytes, times=LIGHTGBM_TIMES, plus_mb=400)
        return feeder.dataset(rows, self.y.to_numpy(np.float32), self.features, parameters or {})

    def xgboost_matrix(self, *, max_bin: int | None = None, is_external: bool | None = None) -> xgboost.DMatrix:
        """Return a quantised matrix for `xgboost.train`, labelled with y, in at most 2 × the size of X + 400 MB.

        With `is_external` the matrix lies in files, and X + 1 GB suffice; by default it does where `memory_bytes` asks
        for it. Train with tree_method "hist" and `max_bin` of `xgboost_bins`, or the same one as here.
        Raises: PluginError when it would not fit into `memory_bytes`.
        """
        from numebot.workshop.feeders import xgboost as feeder
        from numebot.workshop.feeders.rows import Rows

        rows = Rows(self.X)
        if is_external is None:
            is_external = not has_room(rows, self.memory_bytes, times=XGBOOST_TIMES, plus_mb=400)
        times, plus_mb = (EXTERNAL_TIMES, 1000) if is_external else (XGBOOST_TIMES, 400)
        require_room("xgboost_matrix", rows, self.memory_bytes, times=times, plus_mb=plus_mb)
        bins = max_bin or self.xgboost_bins
        return feeder.matrix(rows, self.y.to_numpy(np.float32), self.features, max_bin=bins, is_external=is_external)

    @property
    def xgboost_bins(self) -> int:
        """The `max_bin` that fits the features: few for whole numbers, XGBoost's own 256 for others."""
        is_whole = all(kind.kind in "iub" for kind in self.X.dtypes)
        return WHOLE_NUMBER_BINS if is_whole else 256

    def torch_dataset(self) -> torch.utils.data.Dataset[Any]:
        """Return a dataset of (float32 features, float32 targets) for PyTorch's DataLoader. Needs torch."""
        from numebot.workshop.feeders import torch as feeder
        from numebot.workshop.feeders.rows import Rows

        return feeder.RowDataset(Rows(self.X), self.targets.to_numpy(np.float32))

    def report(self, done: int, of: int | None = None) -> None:
        """Tell how far `fit` is, e.g. trees grown of all; shown on the terminal. Call it as often as you like."""
        from numebot.workshop.progress import report

        report(done, of)


class Model(ABC):
    """Base of every plugin; the module's docstring is the guide."""

    feature_set: str | Sequence[str] = "small"
    """A set named in features.json, or an explicit list of features."""
    target: str | Sequence[str] = "target"
    """The target, or targets, that `fit` wants."""
    files: Sequence[str] = ()
    """Files of the data version that `predict` reads by itself, e.g. "live_benchmark_models.parquet"."""
    takes: str = "frame"
    """What `fit` reads: "frame", data.X as a whole; or "batches", data.numpy_batches() and the other feeders alone."""
    scale: str | None = "rank"
    """With "rank" any numbers are ranked into (0, 1); with None the numbers lie in [0, 1] already and stay."""

    def fit(self, data: TrainingData) -> None:  # noqa: B027 # optional: not every model learns
        """Learn from `data`. Models that do not override this need no training."""

    @abstractmethod
    def predict(self, live: pd.DataFrame) -> Any:
        """Return one number per row of `live`: a Series indexed by id, or a 1-d array."""

    def save(self, folder: Path) -> None:
        """Write what `fit` learned into the empty `folder`."""
        (folder / PICKLE_FILE).write_bytes(pickle.dumps(self, protocol=5))

    def load(self, folder: Path) -> None:
        """Take back what `save` wrote; called on a new object with the parameters of the training."""
        saved = pickle.loads((folder / PICKLE_FILE).read_bytes())
        if type(saved) is not type(self):
            raise PluginError(f"{folder / PICKLE_FILE} holds a {type(saved).__name__}, not a {type(self).__name__}.")
        vars(self).clear()
        vars(self).update(vars(saved))


class Ensemble(Model):
    """Base of a plugin that is made of other models' predictions for the same round.

    Its row has `is_ensemble` True and names the other models in its parameters: `{"members": ["one", "two"]}`, or with
    weights `{"members": {"one": 2, "two": 1}}`. They are played first. models/ensemble.py is a whole one.
    """

    @abstractmethod
    def combine(self, predictions: pd.DataFrame, live: pd.DataFrame) -> Any:
        """Return one number per row of `live`, as `predict` does.

        `predictions` has one column per member, by its name, in its own scale, and the rows of `live`. A member that
        failed in this round has no column.
        """

    def predict(self, live: pd.DataFrame) -> Any:
        """An ensemble has no predictions of its own. Raises: PluginError."""
        raise PluginError(f"{type(self).__name__} is an ensemble: it combines the predictions of its members.")


def needs_training(model: Model | type[Model]) -> bool:
    """Whether a plugin has a `fit` of its own."""
    plugin = model if isinstance(model, type) else type(model)
    return plugin.fit is not Model.fit


def require_model(
    model: Model | type[Model], *, live: pd.DataFrame | None = None, training: TrainingData | None = None
) -> None:
    """Raise CheckFailed with everything that `check_model` finds."""
    findings = check_model(model, live=live, training=training)
    if findings:
        name = model.__name__ if isinstance(model, type) else type(model).__name__
        raise CheckFailed(f"{name} does not keep the plugin contract: {' '.join(findings)}", findings)


def check_model(
    model: Model | type[Model],
    *,
    live: pd.DataFrame | None = None,
    training: TrainingData | None = None,
    learned: Path | None = None,
) -> list[str]:
    """Return how a plugin breaks the contract; an empty list means that it keeps it.

    It is trained (if it trains) and asked to predict several times: ids keep their order, numbers are finite and not
    all equal, the input stays untouched, the same input gives the same output, and a saved model predicts the same.
    Without `live` and `training` small made-up frames are used, with the features that the plugin names, or those of
    `live`. With `learned`, a folder that `save` wrote, the model loads that and is not trained.
    """
    try:
        fresh = model() if isinstance(model, type) else model
        pristine = copy.deepcopy(fresh)
        if training is None:
            training = made_up_training(fresh, None if live is None else list(map(str, live.columns)))
        live = live if live is not None else made_up_features(fresh, rows=97, seed=2)
        if learned is not None:
            fresh.load(learned)
            findings = []
        elif needs_training(fresh):
            findings = _fit(fresh, training)
            live = live[training.features]
        else:
            findings = []
        return findings + _prediction_findings(fresh, live) + _saving_findings(fresh, pristine, live)
    except KeyboardInterrupt:
        raise
    except PluginError as error:
        return [f"predict: {plain(text_of(error))}"]
    except BaseException as error:  # noqa: BLE001 # around one plugin: whatever it raises is what its author asks about
        return [f"error: {words_of(error)}"]


def _fit(model: Model, training: TrainingData) -> list[str]:
    before = (training.X.copy(deep=True), training.targets.copy(deep=True))
    model.fit(training)
    untouched = before[0].equals(training.X) and before[1].equals(training.targets)
    return [] if untouched else ["input: fit changed its training data; work on a copy."]


def _prediction_findings(model: Model, live: pd.DataFrame) -> list[str]:
    given = live.copy(deep=True)
    first = aligned(_answer(model, given), live.index)
    findings = []
    if not given.equals(live):
        findings.append("input: predict changed the frame it was given; work on a copy.")
    if not np.isfinite(first).all():
        findings.append(f"finite: {int((~np.isfinite(first)).sum())} of {len(first)} predictions are NaN or infinite.")
    elif first.nunique() < 2:
        findings.append(f"spread: all predictions are {float(first.iloc[0])!r}; Numerai refuses a constant submission.")
    if model.scale is None and not first.dropna().between(0, 1).all():
        findings.append("scale: with scale = None predictions have to lie in [0, 1].")
    if not _same(first, aligned(_answer(model, live.copy(deep=True)), live.index)):
        findings.append("repeatable: the same input gave another output; fix the random seed.")
    shuffled = live.sample(frac=1, random_state=1)
    if not _same(first, aligned(_answer(model, shuffled.copy(deep=True)), shuffled.index).reindex(live.index)):
        findings.append("order: rows in another order gave other predictions for the same ids; keep the order of live.")
    return findings


def _saving_findings(model: Model, pristine: Model, live: pd.DataFrame) -> list[str]:
    expected = aligned(_answer(model, live.copy(deep=True)), live.index)
    with tempfile.TemporaryDirectory() as name:
        model.save(Path(name))
        pristine.load(Path(name))
    if _same(expected, aligned(_answer(pristine, live.copy(deep=True)), live.index)):
        return []
    return ["saving: after save and load the predictions differ."]


def _same(left: pd.Series, right: pd.Series) -> bool:
    # Summation in threads may differ in the last digits; what matters is the prediction.
    return bool(np.allclose(left, right, rtol=1e-5, atol=1e-7, equal_nan=True))


def _answer(model: Model, frame: pd.DataFrame) -> Any:
    if not isinstance(model, Ensemble):
        return model.predict(frame)
    return model.combine(_made_up_predictions(model, frame.index), frame)


def _made_up_predictions(model: Ensemble, ids: pd.Index) -> pd.DataFrame:
    """Return numbers for the members that the plugin names (three invented ones for none), the same for the same id."""
    names = [str(name) for name in getattr(model, "members", ())] or ["first", "second", "third"]
    hashed = {name: pd.util.hash_array(np.array([f"{name} {id}" for id in ids], dtype=object)) for name in names}
    return pd.DataFrame({name: numbers / 2.0**64 for name, numbers in hashed.items()}, index=ids)


def made_up_features(model: Model, *, rows: int, seed: int) -> pd.DataFrame:
    """Return int8 features 0-4 with the names that the plugin asks for (42 invented ones for a named set)."""
    spec = model.feature_set
    names = [f"feature_{number:02d}" for number in range(42)] if isinstance(spec, str) else list(spec)
    numbers = np.random.default_rng(seed).integers(0, 5, size=(rows, len(names)), dtype=np.int8)
    ids = pd.Index([f"n{seed:03x}{row:012x}" for row in range(rows)], name="id")
    return pd.DataFrame(numbers, index=ids, columns=names)


def made_up_training(model: Model, columns: Sequence[str] | None = None) -> TrainingData:
    """Return 8 eras of 50 rows with a weak signal and five-valued targets, like Numerai's."""
    features = made_up_features(model, rows=400, seed=1)
    if columns is not None:
        numbers = np.random.default_rng(1).integers(0, 5, size=(len(features), len(columns)), dtype=np.int8)
        features = pd.DataFrame(numbers, index=features.index, columns=list(columns))
    names = [model.target] if isinstance(model.target, str) else list(model.target)
    noise = np.random.default_rng(3).normal(size=(len(features), len(names)))
    signal = features.iloc[:, 0].to_numpy(dtype=float)[:, None] * 0.3 + noise
    ranks = pd.DataFrame(signal, index=features.index, columns=names).rank(pct=True)
    targets = (np.digitize(ranks, [0.05, 0.25, 0.75, 0.95]) / 4).astype(np.float32)
    eras = pd.Series([f"{1 + row // 50:04d}" for row in range(len(features))], index=features.index, name="era")
    frame = pd.DataFrame(targets, index=features.index, columns=names)
    columns = [str(column) for column in features.columns]
    halves = {name: columns[number::2] for number, name in enumerate(_MADE_UP_SETS)}
    return TrainingData(X=features, targets=frame, eras=eras, target=names[0], feature_sets=halves)
