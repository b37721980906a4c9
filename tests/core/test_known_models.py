from __future__ import annotations

import pytest

from numebot.core.errors import ConfigError
from numebot.core.known_models import KnownModel, chosen_models

ALPHA = KnownModel(8, "m1", "alpha", former_names=("old",))
BETA = KnownModel(8, "m2", "beta", is_listed=False, former_names=("alpha",))
SIGNAL = KnownModel(11, "m3", "alpha")
MODELS = [ALPHA, BETA, SIGNAL]


def test_without_names_all_are_meant() -> None:
    assert chosen_models(MODELS, []) == MODELS


@pytest.mark.parametrize(
    ("name", "meant"),
    [("alpha", [ALPHA, SIGNAL]), ("old", [ALPHA]), ("beta", [BETA]), ("m2", [BETA]), ("m3", [SIGNAL])],
)
def test_a_name_means_who_has_it_before_who_had_it(name: str, meant: list[KnownModel]) -> None:
    assert chosen_models(MODELS, [name, name]) == meant


def test_the_present_owner_of_a_name_comes_before_one_that_is_gone() -> None:
    heir = KnownModel(8, "m4", "beta")
    assert chosen_models([BETA, heir], ["beta"]) == [heir]


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r'"alpah".*Did you mean "alpha"\?(.|\n)*Results are there of: alpha, beta'):
        chosen_models(MODELS, ["alpah"])


def test_a_remark_tells_what_became_of_a_model() -> None:
    assert (ALPHA.remark, BETA.remark, SIGNAL.remark) == ("formerly old", "formerly alpha, no longer listed", "")
