"""`numebot payouts`, `compare` and `leaderboard`: what a person and a machine get to see."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from numebot.adapters.clock import SystemClock
from numebot.adapters.store import Store
from numebot.cli import cli
from numebot.core.errors import ConfigError
from numebot.core.results import Leaderboard, LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.standing import ModelRound
from numebot.core.types import AccountModel, Round

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
Run = Callable[..., str]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "numebot.toml").write_text('[tournament]\nplay = ["classic", "crypto"]\n')
    (tmp_path / "model_configs.csv").write_text("numerai_name,model_code\nalpha,models.feature_mean\n")
    return {"NUMEBOT_HOME": str(tmp_path), "NUMERAI_DATA_FOLDER": str(tmp_path / "numerai_data")}


@pytest.fixture
def store(environ: dict[str, str]) -> Iterator[Store]:
    store = Store(f"sqlite:///{environ['NUMERAI_DATA_FOLDER']}/numebot.db")
    names = ("alpha", "beta", "gamma")
    store.results.remember_listed(8, [AccountModel(f"{name}-8", name, 8) for name in names], now=NOW)
    store.results.remember_listed(12, [AccountModel(f"{name}-12", name, 12) for name in names[:2]], now=NOW)
    yield store
    store.close()


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    def call(*arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments, env=environ, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return call


def opens_at(number: int) -> datetime:
    return NOW + timedelta(days=1.4 * (number - 1405))


def of_mmc(first: str, second: str) -> list[str]:
    return ["compare", first, second, "--tournament", "classic", "--metric", "mmc"]


def with_rounds(store: Store, numbers: range, **means: float) -> None:
    """Give models resolved 20-day scores: a common market, and a part of their own around a mean."""
    rounds = [
        RoundFacts(Round(8, number, opens_at(number), opens_at(number) + timedelta(hours=1)), is_resolved=True)
        for number in numbers
    ]
    store.results.remember_rounds(rounds, now=NOW)
    random = np.random.default_rng(5)
    for name, mean in means.items():
        own = random.standard_normal(len(numbers)) / 100
        store.results.remember_scores(
            [
                Score(8, number, f"{name}-8", "mmc", 20, mean + noise, None, "v1", opens_at(number) + timedelta(28),
                      is_resolved=True)
                for number, noise in zip(numbers, own, strict=True)
            ]
        )  # fmt: skip


def with_money(store: Store) -> None:
    """Two rounds of alpha: one settled as it should be, one pending that Numerai sees differently."""
    settings = [
        PayoutSetting(8, number, "corr60", "v1", True, 3.0, clip=1.0, payout_factor=1.0) for number in (1343, 1400)
    ]
    store.results.remember_settings(settings)
    score = Score(8, 1343, "alpha-8", "corr60", 60, 0.01, None, "v1", NOW, is_resolved=True)
    store.results.remember_scores([score, replace(score, round_number=1400, day=3, value=-0.02, is_resolved=False)])
    paid = Payout(8, 1343, "alpha-8", "alpha", Decimal(3), True, Decimal("37.5"), "USD", NOW.date())
    pending = replace(paid, round_number=1400, amount=Decimal("-5.5"), is_settled=False, value=Decimal("-68.75"))
    store.results.remember_payouts([paid, pending])
    stakes = [ModelRound(8, number, "alpha-8", Decimal(100)) for number in (1343, 1400)]
    store.standing.remember_at_risk([*stakes, ModelRound(8, 1401, "beta-8", Decimal("12.5"))])


def test_payouts_for_machines_are_decimal_texts(store: Store, run: Run) -> None:
    with_money(store)
    answer = json.loads(run("payouts", "--last", "100", "--json"))
    rows = {row["round"]: row for row in answer["rounds"]}
    settled, pending, running = rows[1343], rows[1400], rows[1401]
    assert (settled["state"], settled["amount"], Decimal(settled["difference"])) == ("settled", "3", 0)
    assert (pending["state"], Decimal(pending["expected"])) == ("pending", -6)
    assert Decimal(pending["difference"]) == Decimal("0.5")
    assert (pending["season_score"], pending["at_risk"]) == ("-0.060", "100")
    assert (running["state"], running["model"], running["expected"]) == ("running", "beta", None)
    assert running["note"] == "no payout settings of this round are here"
    november, unknown = answer["totals"]
    assert (november["month"], november["currency"], november["settled"]) == ("2026-11", "USD", "3")
    assert (november["pending"], november["pending_value"]) == ("-5.5", "-68.75")
    assert (unknown["month"], unknown["unknown"]) == (None, 1)


def test_payouts_as_csv_have_the_same_fields(store: Store, run: Run) -> None:
    with_money(store)
    rows = list(csv.DictReader(io.StringIO(run("payouts", "alpha", "--csv"))))
    assert [(row["round"], row["amount"], row["note"]) for row in rows] == [("1400", "-5.5", "")]
    assert list(rows[0]) == list(json.loads(run("payouts", "alpha", "--json"))["rounds"][0])


def test_payouts_for_a_person_stand_side_by_side(store: Store, run: Run) -> None:
    with_money(store)
    shown = run("payouts", "--last", "100")
    assert re.search(r"1400 +alpha +pending +100.00 +-0.0600 +-6.0000 +-5.5000 +\+0.5000 +-68.75 +USD", shown)
    assert re.search(r"1401 +beta +running +12.50 .*no payout settings of this round are here", shown)
    assert re.search(r"2026-11 +\+3.0000 +\+37.50", shown)
    assert "\x1b" not in shown, "no colours in a pipe"


def test_payouts_of_nothing_and_of_nobody(store: Store, run: Run) -> None:
    assert "numebot sync" in run("payouts")
    with pytest.raises(ConfigError, match='Did you mean "alpha"'):
        run("payouts", "alhpa")
    with pytest.raises(ConfigError, match="exclude each other"):
        run("payouts", "--json", "--csv")


def test_the_same_name_in_two_tournaments_is_two_models(store: Store, run: Run) -> None:
    with_money(store)
    store.results.remember_payouts([Payout(12, 1400, "alpha-12", "alpha", Decimal(7), False)])
    both = json.loads(run("payouts", "alpha", "--json"))["rounds"]
    assert [(row["tournament"], row["amount"]) for row in both] == [(8, "-5.5"), (12, "7")]
    only = json.loads(run("payouts", "alpha", "--tournament", "crypto", "--json"))["rounds"]
    assert [row["model_id"] for row in only] == ["alpha-12"]
    assert "alpha (crypto)" in run("payouts")


def test_compare_finds_what_is_there(store: Store, run: Run) -> None:
    with_rounds(store, range(1100, 1400), alpha=0.02, beta=0.0)
    answer = json.loads(run(*of_mmc("alpha", "beta"), "--json"))
    assert (answer["verdict"], answer["rounds"], answer["more_rounds"]) == ("better", 300, None)
    assert answer["difference"]["low"] > 0
    assert answer["difference"]["mean"] == pytest.approx(answer["mean_a"]["mean"] - answer["mean_b"]["mean"])
    assert 14 < answer["independent_rounds"] < 18, "300 rounds over 420 days, each 28 days long"
    assert json.loads(run(*of_mmc("beta", "alpha"), "--json"))["verdict"] == "worse"


def test_compare_says_how_long_it_takes(store: Store, run: Run) -> None:
    with_rounds(store, range(1340, 1400), alpha=0.004, beta=0.0)
    shown = run(*of_mmc("alpha", "beta"))
    assert re.search(r"alpha is not yet distinguishable: about \d+ more rounds, if the difference stays", shown)
    assert re.search(r"60 common rounds, 1340 to 1399, worth about \d\.\d without overlap", shown)
    short = json.loads(run(*of_mmc("alpha", "beta"), "--last", "10", "--json"))
    assert (short["first_round"], short["rounds"], len(short["pairs"])) == (1390, 10, 10)


def test_compare_takes_what_pays_when_nobody_says(store: Store, run: Run) -> None:
    with_rounds(store, range(1340, 1400), alpha=0.0, beta=0.0)
    with pytest.raises(ConfigError, match=r"Choose one with --metric: mmc\."):
        run("compare", "alpha", "beta", "--tournament", "classic")
    store.results.remember_settings([PayoutSetting(8, 1399, "mmc", "v1", True, 2.0)])
    assert json.loads(run("compare", "alpha", "beta", "--json", "--tournament", "classic"))["metric"] == "mmc"


def test_compare_of_what_cannot_be_compared(store: Store, run: Run) -> None:
    with_rounds(store, range(1340, 1400), alpha=0.0, beta=0.0)
    classic = ("--tournament", "classic")
    with pytest.raises(ConfigError, match=r"Add --tournament classic or crypto\."):
        run("compare", "alpha", "beta", "--metric", "mmc")
    with pytest.raises(ConfigError, match=r"no scores of corr61\. There are some of: mmc\."):
        run("compare", "alpha", "beta", "--metric", "corr61", *classic)
    with pytest.raises(ConfigError, match="gamma: there are no scores of mmc"):
        run("compare", "alpha", "gamma", "--metric", "mmc", *classic)
    with pytest.raises(ConfigError, match="the same model"):
        run("compare", "alpha", "alpha", *classic)
    with pytest.raises(ConfigError, match='"v53_lgbm_ender60": there are no results of it'):
        run("compare", "alpha", "v53_lgbm_ender60", *classic)
    with pytest.raises(ConfigError, match="Results are there of"):
        run("compare", "gamma", "nobody", "--tournament", "crypto")


def test_running_rounds_count_when_they_are_wanted(store: Store, run: Run) -> None:
    with_rounds(store, range(1340, 1342), alpha=0.0, beta=0.0)
    for name in ("alpha", "beta"):
        store.results.remember_scores([Score(8, 1341, f"{name}-8", "mmc", 21, 0.1, None, "v1", NOW)])
        store.results.remember_scores([Score(8, 1340, f"{name}-8", "mmc", 21, 0.1, None, "v1", NOW)])
    arguments = of_mmc("alpha", "beta")
    assert "no common round with mmc yet. With --running" in run(*arguments)
    assert json.loads(run(*arguments, "--json"))["difference"] is None
    answer = json.loads(run(*arguments, "--json", "--running"))
    assert (answer["rounds"], answer["running"], answer["verdict"]) == (2, 2, "not yet distinguishable")
    assert "too few rounds, or equal scores" in run(*arguments, "--running")


def with_board(store: Store, at: datetime, **ranks: int) -> None:
    own = [LeaderboardRow(rank, name, f"{name}-8", Decimal(10), is_own=True) for name, rank in ranks.items()]
    others = [LeaderboardRow(rank, f"player{rank}", None, figures={"mmcRep": 0.01}) for rank in (1, 2, 3, 21, 26)]
    rows = sorted([*own, *others], key=lambda row: row.rank)
    store.results.remember_leaderboard(Leaderboard(8, at, 900, tuple(rows)))


def test_the_leaderboard_shows_changes_neighbours_and_the_top(store: Store, run: Run) -> None:
    for days_ago, rank in ((31, 10), (3, 25), (0, 20)):
        with_board(store, NOW - timedelta(days=days_ago), alpha=rank)
    answer = json.loads(run("leaderboard", "--tournament", "classic", "--json", "--top", "2"))
    alpha, beta, gamma = answer["models"]
    assert (alpha["rank"], alpha["change"], alpha["since"]) == (20, 5, "2026-11-21")
    assert (alpha["change_30_days"], alpha["since_30_days"]) == (-10, "2026-10-24")
    assert (beta["name"], beta["rank"], gamma["rank"]) == ("beta", None, None)
    assert [row["rank"] for row in answer["neighbours"]] == [20, 21]
    assert [row["name"] for row in answer["top"]] == ["player1", "player2"]
    assert (answer["day"], answer["size"]) == ("2026-11-24", 900)
    shown = run("leaderboard", "--tournament", "classic")
    assert re.search(r"20 +alpha +\+5 +2026-11-21 +-10 +█▁▃ +10.00", shown)
    assert re.search(r"· +beta +not on this board", shown)


def test_an_earlier_day_is_shown_as_it_was(store: Store, run: Run) -> None:
    for days_ago, rank in ((3, 25), (0, 20)):
        with_board(store, NOW - timedelta(days=days_ago), alpha=rank)
    answer = json.loads(run("leaderboard", "--day", "2026-11-21", "--json", "--tournament", "classic"))
    assert (answer["models"][0]["rank"], answer["models"][0]["change"]) == (25, None)
    assert [point["rank"] for point in answer["models"][0]["ranks"]] == [25]
    with pytest.raises(ConfigError, match="The nearest ones: 2026-11-21 and 2026-11-24"):
        run("leaderboard", "--day", "2026-11-22", "--tournament", "classic")
    both = run("leaderboard", "--day", "2026-11-21")
    assert "Crypto: there is no snapshot of 2026-11-21. The nearest ones: none" in both


def test_without_a_snapshot_it_says_what_to_type(store: Store, run: Run) -> None:
    assert run("leaderboard").count("`numebot sync` takes one a day") == 2
    classic, crypto = json.loads(run("leaderboard", "--json"))
    assert (classic["day"], classic["models"], crypto["tournament"]) == (None, [], 12)
    with pytest.raises(ConfigError, match="The nearest ones: none at all"):
        run("leaderboard", "--day", "2026-11-22")


def test_a_clock_before_the_last_snapshot_is_told(store: Store, environ: dict[str, str]) -> None:
    ahead = SystemClock().now() + timedelta(days=400)
    with_board(store, ahead, alpha=4)
    result = CliRunner().invoke(cli, ["leaderboard", "--tournament", "classic", "--json"], env=environ)
    assert json.loads(result.stdout)["models"][0]["rank"] == 4
    assert f"Classic: the snapshot is of {ahead:%Y-%m-%d}, but by the clock of this machine" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["payouts"], []),
        (["leaderboard"], []),
        (of_mmc("alpha", "beta"), ["numpy"]),
    ],
)
def test_they_load_nothing_heavy(
    store: Store, environ: dict[str, str], arguments: list[str], allowed: list[str]
) -> None:
    with_money(store)
    with_rounds(store, range(1340, 1400), alpha=0.0, beta=0.0)
    script = (
        "import sys\n"
        f"sys.argv = ['numebot', *{arguments!r}]\n"
        "from numebot.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'pandas', 'numpy', 'scipy', 'numerapi', 'requests', 'pyarrow', 'sklearn', 'ariadne', 'alembic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environ, cwd=ROOT, check=True
    )
    assert answer.stderr.strip().endswith(str(allowed))
