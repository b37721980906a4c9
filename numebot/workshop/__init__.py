"""For authors of plugins, and for notebooks: splits over eras, features, targets, and what is done to predictions.

Splitters and transformers are scikit-learn's kind: they work in its pipelines, searches and cross-validation, and are
pickled with a trained version.

    from numebot.workshop import EraKFold, GroupStatistics, feature_groups

    pipeline = make_pipeline(GroupStatistics(feature_groups(data.feature_sets, data.features)), Ridge())
    cross_val_score(pipeline, data.X, data.y, groups=data.eras, cv=EraKFold(5))
"""

from __future__ import annotations

from numebot.core.features import embargo_eras
from numebot.core.metrics import era_corr, numerai_corr, summary
from numebot.workshop.after import blended, neutralised, rank_gaussianised
from numebot.workshop.batches import NO_HISTORY
from numebot.workshop.components import BatchPCA
from numebot.workshop.groups import GROUPS, GroupStatistics, feature_groups
from numebot.workshop.selection import ShadowFeatures, StableCorrelation, TopCorrelation, TopImportance
from numebot.workshop.splits import EraGroups, EraKFold, WalkForward
from numebot.workshop.targets import EraBoosted, TargetEnsemble

__all__ = [
    "GROUPS",
    "NO_HISTORY",
    "BatchPCA",
    "EraBoosted",
    "EraGroups",
    "EraKFold",
    "GroupStatistics",
    "ShadowFeatures",
    "StableCorrelation",
    "TargetEnsemble",
    "TopCorrelation",
    "TopImportance",
    "WalkForward",
    "blended",
    "embargo_eras",
    "era_corr",
    "feature_groups",
    "neutralised",
    "numerai_corr",
    "rank_gaussianised",
    "summary",
]
