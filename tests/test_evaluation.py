from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from numebot.adapters.artifacts import Artifacts
from numebot.adapters.datasets import Datasets
from numebot.adapters.runner.runner import Runner
from numebot.charts.evaluation import evaluation_page
from numebot.cli.evaluation_answers import as_answer
from numebot.cli.output import as_document
from numebot.core.diagnostics import DiagnosticsResult
from numebot.core.errors import PluginError, Rejected, Unavailable
from numebot.core.evaluation import PREVIOUS, THIS, Evaluation
from numebot.core.metrics import era_corr
from numebot.core.payouts import NotKnown, PayoutTerms
from numebot.core.types import ModelConfig
from numebot.diagnosing import Patience, diagnosed
from numebot.evaluation import Bench, evaluate_model
from numebot.training import train_model
from tests.fakes import FakeClock, FakeDataSource, made_up_rows, parquet_bytes

NOW = datetime(2026, 11, 22, 2, 13, tzinfo=UTC)
TERMS = PayoutTerms({("corr60", "v1"): Decimal(3), ("mmc60", "v1"): Decimal(15)}, Decimal(1), Decimal("0.5"))
FEATURES = [f"feature_{number}" for number in range(4)]
PLUGIN = """
from numebot.plugin import Model


class Weighted(Model):
    def __init__(self, body="live.iloc[:, 0]"):
        self.body = body

    def fit(self, data):
        self.fitted = True

    def predict(self, live):
        return eval(self.body) * 1.0
"""


def eras(first: int, last: int) -> list[str]:
    return [f"{era:04d}" for era in range(first, last + 1)]


VALIDATION = made_up_rows(eras(21, 42), seed=20)


class Place:
    """A server, and everything that an evaluation works with, below one folder."""

    def __init__(self, folder: Path) -> None:
        sets = {"small": FEATURES, "fncv3_features": FEATURES[1:3]}
        benchmarks = VALIDATION[["era"]].assign(v53_lgbm=VALIDATION["feature_0"] + VALIDATION["feature_3"] * 0.1)
        meta = VALIDATION.loc[VALIDATION["era"] >= "0040", ["era"]]
        meta = meta.assign(numerai_meta_model=np.random.default_rng(1).random(len(meta)))
        self.server = FakeDataSource({
            "v5.3/features.json": json.dumps({"feature_sets": sets, "targets": []}).encode(),
            "v5.3/train.parquet": parquet_bytes(made_up_rows(eras(1, 20), seed=10)),
            "v5.3/validation.parquet": parquet_bytes(VALIDATION),
            "v5.3/validation_benchmark_models.parquet": parquet_bytes(benchmarks),
            "v5.3/meta_model.parquet": parquet_bytes(meta),
            "v5.3/live.parquet": parquet_bytes(made_up_rows(["X"], seed=30, targets=False)),
        })
        (folder / "weighted.py").write_text(PLUGIN)
        self.artifacts = Artifacts(folder)
        self.runner = Runner([folder])
        self.folder = folder
        self.lines: list[str] = []

    def config(self, body: str = "live.iloc[:, 0]") -> ModelConfig:
        return ModelConfig("rpica", "weighted.py", parameters={"body": body})

    def bench(self) -> Bench:
        datasets = Datasets(self.server, self.folder)
        return Bench(datasets, self.artifacts, self.runner, TERMS, self.lines.append)

    def train(self, body: str = "live.iloc[:, 0]") -> ModelConfig:
        config = self.config(body)
        bench = self.bench()
        train_model(config, datasets=bench.datasets, artifacts=bench.artifacts, runner=bench.runner, now=lambda: NOW)
        return config

    def evaluate(self, body: str = "live.iloc[:, 0]", **wishes: Path) -> Evaluation:
        return evaluate_model(self.train(body), self.bench(), **wishes)

    def validation(self, rows: pd.DataFrame) -> None:
        self.server.files["v5.3/validation.parquet"] = parquet_bytes(rows)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def readable(found: Evaluation) -> dict[str, object]:
    """Both reports can be made, whatever is missing."""
    assert "<svg" in evaluation_page([found])
    answer: dict[str, object] = json.loads(as_document(as_answer(found)))
    return answer


def test_two_versions_are_measured_on_eras_after_the_embargo_beside_numerais_models(place: Place) -> None:
    place.train("live.iloc[:, 1]")
    found = place.evaluate()
    assert found.eras == eras(37, 42)
    assert found.columns == [THIS, PREVIOUS, "v53_lgbm", "meta model"]
    rows = VALIDATION[VALIDATION["era"] >= "0037"]
    expected = era_corr(rows["feature_0"].astype(float), rows["target_ender_60"], rows["era"])
    np.testing.assert_allclose(found.scores["corr"][THIS], expected, atol=1e-10)
    assert found.change("corr") > 0.1
    assert found.scores["mmc"][THIS].notna().tolist() == [False] * 3 + [True] * 3
    assert found.scores["payout"][THIS].abs().max() <= 0.5
    assert found.exposures["feature_0"].mean() > 0.98
    assert found.notes == ()
    assert readable(found)["previous_version"]


def test_every_row_of_an_era_is_predicted_and_gaps_of_the_target_are_not_scored(place: Place, tmp_path: Path) -> None:
    rows = VALIDATION.copy()
    rows.loc[rows.index[rows["era"] == "0041"][:5], ["target", "target_ender_60"]] = np.nan
    rows.loc[rows["era"] == "0042", ["target", "target_ender_60"]] = np.nan
    place.validation(rows)
    file = tmp_path / "for diagnostics.csv"
    found = place.evaluate(predictions=file)
    assert found.eras == eras(37, 41)
    written = pd.read_csv(file, index_col="id")["prediction"]
    assert list(written.index) == list(rows.index[rows["era"].between("0037", "0041")])
    assert written.between(0, 1, inclusive="neither").all()
    assert found.scores["corr"][THIS].notna().all()


def test_files_that_are_not_there_are_noted_and_nothing_else_is_lost(place: Place) -> None:
    for name in ("validation_benchmark_models", "meta_model"):
        del place.server.files[f"v5.3/{name}.parquet"]
    found = place.evaluate()
    assert found.columns == [THIS]
    assert [note.split(":")[0] for note in found.notes] == [
        "validation_benchmark_models.parquet", "meta_model.parquet", "payout",
    ]  # fmt: skip
    assert {"mmc", "bmc", "payout"}.isdisjoint(found.scores)
    readable(found)


def test_constant_predictions_have_no_scores_and_are_said_to_be_constant(place: Place) -> None:
    found = place.evaluate("live.iloc[:, 0] * 0")
    assert found.scores["corr"][THIS].isna().all()
    assert any("the predictions are constant" in note for note in found.notes)
    answer = readable(found)
    assert answer["summary"]["corr"][THIS]["mean"] is None  # type: ignore[index, call-overload]


def test_one_era_has_a_mean_and_no_spread(place: Place) -> None:
    place.validation(VALIDATION[VALIDATION["era"] <= "0037"])
    found = place.evaluate()
    assert found.eras == ["0037"]
    assert np.isnan(found.figure("corr", THIS, "sharpe"))
    assert np.isfinite(found.figure("corr", THIS, "mean"))
    readable(found)


def test_without_any_era_to_measure_on_it_is_said_why(place: Place) -> None:
    config = place.train()
    place.validation(VALIDATION[VALIDATION["era"] <= "0036"])
    with pytest.raises(PluginError, match=r"no validation era has the target target_ender_60 after the embargo of 16"):
        evaluate_model(config, place.bench())
    place.validation(VALIDATION.assign(target_ender_60=np.float32("nan")))
    with pytest.raises(PluginError, match="nothing to evaluate it on"):
        evaluate_model(config, place.bench())


def test_another_target_is_scored_with_the_longer_of_both_embargos(place: Place) -> None:
    found = evaluate_model(place.train(), place.bench(), target="target_ender_20")
    assert (found.subject.target, found.subject.embargo, found.eras[0]) == ("target_ender_20", 16, "0037")
    with pytest.raises(PluginError, match=r"target_ender_2O"):
        evaluate_model(place.config(), place.bench(), target="target_ender_2O")


def test_an_untrained_model_and_an_ensemble_say_what_to_do(place: Place) -> None:
    with pytest.raises(PluginError, match="numebot train rpica"):
        evaluate_model(place.config(), place.bench())
    with pytest.raises(PluginError, match="Evaluate its members"):
        evaluate_model(replace(place.config(), is_ensemble=True), place.bench())


def test_what_the_rounds_pay_is_not_made_up(place: Place) -> None:
    bench = replace(place.bench(), terms=NotKnown("no round is known"))
    found = evaluate_model(place.train(), bench)
    assert "payout" not in found.scores
    assert "payout: no round is known" in found.notes
    assert readable(found)["payout_terms"] is None


class Judge:
    """Numerai's diagnostics: the answers that a test gives it, one after the other."""

    def __init__(self, *answers: DiagnosticsResult | Unavailable) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []

    def upload(self, tournament: int, model_id: str, path: Path) -> str:
        self.sent.append(path.read_text().splitlines()[0])
        return "run-1"

    def result(self, model_id: str, id: str) -> DiagnosticsResult:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Unavailable):
            raise answer
        return answer


def judged(place: Place, judge: Judge) -> Evaluation:
    file = place.folder / "rpica.csv"
    found = place.evaluate(predictions=file)
    patience = Patience(60, 5)
    return diagnosed(found, file, server=judge, model_id="m", clock=FakeClock(), patience=patience)


def test_diagnostics_are_asked_for_until_they_are_there(place: Place) -> None:
    done = DiagnosticsResult("run-1", "done", None, {"validationCorrMean": 0.02}, {"0037": {"validationCorr": 0.1}})
    judge = Judge(Unavailable("later"), DiagnosticsResult("run-1", "pending"), done)
    assert judged(place, judge).diagnostics == done
    assert judge.sent == ["id,prediction"]


def test_declined_predictions_bring_numerais_words(place: Place) -> None:
    words = "invalid_submission_eras: incomplete eras"
    with pytest.raises(Rejected, match=words):
        judged(place, Judge(DiagnosticsResult("run-1", "failed", words)))


def test_a_run_without_an_end_is_given_up_with_its_id(place: Place) -> None:
    with pytest.raises(Unavailable, match="run-1 has no result after 60 s"):
        judged(place, Judge(DiagnosticsResult("run-1", "pending")))
