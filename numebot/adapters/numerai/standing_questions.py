"""What is asked about the standing: the account, its leaderboard, a model's history, the price, the scoring."""

from __future__ import annotations

from numebot.adapters.numerai.question import Question


def _fields(words: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(words.split(), ())


ACCOUNT_BOARD = Question(
    "accountLeaderboard",
    {"tournament": "Int", "limit": "Int", "offset": "Int"},
    _fields(
        "id username rank nmrStaked v2Corr20 corr60 corJ60 mmc mmc60 bmc fncV3 corrV4 fncV4 icV2 ric alpha mpc corr "
        "return3m return1y returnAllTime return3mNmr return1yNmr returnAllTimeNmr"
    ),
    required=frozenset({"username", "rank", "tournament"}),
    per_minute=20,
    grows="AccountLeaderboardEntry",
)
ACCOUNT = Question(
    "account",
    {},
    _fields("username availableNmr"),
    required=frozenset({"username"}),
    per_minute=1000,
    needs_key=True,
    grows="Account",
    kinds=frozenset({"Nmr"}),
)
STAKES = Question(
    "account",
    {},
    {"models": ("id", "v2Stake { latestValue }")},
    required=frozenset({"models", "id", "v2Stake", "latestValue"}),
    per_minute=1000,
    needs_key=True,
)
HISTORY = Question(
    "v3UserProfile",
    {"modelName": "String!", "tournament": "Int"},
    {
        "id": (),
        "dailyModelPerformances": (
            "date", "corrRep", "corrRank", "corr60Rep", "corr60Rank", "mmcRep", "mmcRank", "fncV3Rep", "fncV3Rank",
            "return13Weeks", "return52Weeks",
        ),
    },
    required=frozenset({"modelName", "tournament", "dailyModelPerformances", "date"}),
    per_minute=300,
    grows="DailyModelPerformance",
    inside="dailyModelPerformances",
)  # fmt: skip
PRICE = Question(
    "latestNmrPrice", {}, _fields("priceUsd lastUpdated"), required=frozenset({"priceUsd"}), per_minute=100
)
SCORING = Question(
    "pipelineStatus",
    {"tournament": "String!", "date": "String"},
    _fields("isScoringDay scoredAt resolvedAt scoreP90Eta resolveP90Eta nextStartP90Eta"),
    required=frozenset({"tournament", "date", "scoredAt"}),
    per_minute=20,
)
