from __future__ import annotations

import numpy as np
import pandas as pd

from models.feature_mean import FeatureMean
from numebot.plugin import check_model, needs_training


def test_it_keeps_the_plugin_contract_without_training() -> None:
    assert check_model(FeatureMean) == []
    assert check_model(FeatureMean(feature_set="intelligence")) == []
    assert not needs_training(FeatureMean)


def test_it_is_the_mean_of_what_is_known() -> None:
    live = pd.DataFrame({"a": [0, 4, np.nan, np.nan], "b": [1, 4, 3, np.nan]}, index=["n1", "n2", "n3", "n4"])
    assert FeatureMean().predict(live).tolist() == [0.5, 4.0, 3.0, 2.0]
