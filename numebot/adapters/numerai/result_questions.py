"""What is asked about the results: fields, arguments, and which of them the answer is of no use without."""

from __future__ import annotations

from collections.abc import Sequence

from numebot.adapters.numerai.question import Question
from numebot.core.types import Tournament


def _fields(words: str) -> dict[str, Sequence[str]]:
    return dict.fromkeys(words.split(), ())


_ROUND_ARGUMENTS = {"tournament": "Int", "limit": "Int"}
ROUNDS = Question(
    "rounds",
    _ROUND_ARGUMENTS,
    _fields(
        "number openTime closeStakingTime closeTime scoreTime resolveTime resolvedGeneral resolvedStaking payoutFactor "
        "dataDatestamp"
    ),
    required=frozenset({"tournament", "number", "openTime", "closeStakingTime"}),
    per_minute=250,
)
SETTINGS = Question(
    "rounds",
    _ROUND_ARGUMENTS,
    {
        "number": (),
        "roundScoreConfigs": (
            "displayName", "version", "isPayout", "defaultMultiplier", "minMultiplier", "maxMultiplier",
            "clipThreshold", "stakeThreshold", "payoutFactor", "totalScoreDays", "scoringStart", "scoringEnd",
        ),
    },
    required=frozenset({"tournament", "number", "roundScoreConfigs", "displayName"}),
    per_minute=250,
)  # fmt: skip
SCORES = Question(
    "submissionScores",
    {
        "modelId": "ID!",
        "tournament": "Int",
        "displayName": "String",
        "lastNRounds": "Int",
        "distinctOnRound": "Boolean",
    },
    _fields(
        "roundNumber displayName version day date value percentile resolved resolveDate roundResolveTime submissionId"
    ),
    required=frozenset({"modelId", "roundNumber", "displayName", "value"}),
    per_minute=300,
)
NEWEST, DAYS = "submissionScores", "intraRoundSubmissionScores"
"""The fields with the newest score of each metric, and with those of every day."""
_AMONG = {"roundNumberGte": "Int", "roundNumberLte": "Int"}


def _model_rounds(scores: str, choice: dict[str, str]) -> Question:
    return Question(
        "v2RoundModelPerformances",
        {"modelId": "ID!", "tournament": "Int", **choice},
        {
            **_fields("roundNumber roundResolved roundResolveTime atRisk submissionId"),
            scores: ("displayName", "version", "day", "date", "value", "percentile", "resolved", "submissionId"),
        },
        # Without the choice of rounds it would answer with years of them, each time.
        required=frozenset({"modelId", "tournament", "roundNumber", scores, "displayName", "value", "day", *choice}),
        per_minute=500,
    )


NEWEST_DAY = _model_rounds(NEWEST, {"lastNRounds": "Int"})
ALL_DAYS = _model_rounds(DAYS, {"lastNRounds": "Int"})
NEWEST_DAY_AMONG = _model_rounds(NEWEST, _AMONG)
ALL_DAYS_AMONG = _model_rounds(DAYS, _AMONG)
PAYOUTS = Question(
    "pendingModelPayouts",
    {"tournament": "Int!"},
    dict.fromkeys(
        ("actual", "pending"),
        ("roundNumber", "roundResolveTime", "modelId", "modelName", "payoutNmr", "payoutValue", "currencySymbol"),
    ),
    required=frozenset({"tournament", "roundNumber", "modelId", "payoutNmr"}),
    per_minute=100,
    needs_key=True,
)


def _board(root: str, grows: str, per_minute: int, figures: str) -> Question:
    return Question(
        root,
        {"limit": "Int", "offset": "Int"},
        _fields(f"id username rank nmrStaked {figures}"),
        required=frozenset({"username", "rank"}),
        per_minute=per_minute,
        grows=grows,
    )


BOARDS = {
    Tournament.CLASSIC: _board(
        "v2Leaderboard",
        "V2LeaderboardEntry",
        200,
        "corr20V2Rep corr60Rep corj60Rep mmcRep mmc60Rep bmcRep fncV3Rep canonCorrLtm canonMmcLtm return1Day "
        "return13Weeks return52Weeks",
    ),
    Tournament.SIGNALS: _board(
        "signalsLeaderboard",
        "SignalsLeaderboardEntry",
        20,
        "alphaRep mpcRep corrV4Rep fncV4Rep icV2Rep ricRep sharpe return13Weeks return52Weeks",
    ),
    Tournament.CRYPTO: _board(
        "cryptosignalsLeaderboard",
        "CryptosignalsLeaderboardEntry",
        20,
        "corrRep mmcRep canonCorrLtm canonMmcLtm return1Day return13Weeks return52Weeks",
    ),
}
"""Each tournament has a board of its own, with its own figures."""
