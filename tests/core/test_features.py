from __future__ import annotations

import pytest

from numebot.core.errors import Unavailable
from numebot.core.features import (
    embargo_eras,
    era_order,
    eras_after,
    is_version,
    listed,
    parse_feature_sets,
    version_key,
)


def test_eras_are_ordered_by_number_whatever_their_spelling() -> None:
    assert era_order(["1000", "0999", "0001", "0999"]) == ["0001", "0999", "1000"]
    assert era_order(["era10", "era9"]) == ["era9", "era10"]
    assert era_order(["X", "0002"])[-1] == "0002"


def test_the_embargo_follows_the_horizon_and_is_long_when_in_doubt() -> None:
    assert (embargo_eras("target_ender_20"), embargo_eras("target_ender_60"), embargo_eras("target")) == (8, 16, 16)


def test_versions_are_compared_by_their_numbers() -> None:
    assert version_key("v5.10") > version_key("v5.9") > version_key("v5") > version_key("v4.99")
    assert version_key("signals/v2.1") == (2, 1)


def test_long_lists_are_shortened_for_messages() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(range(10)) == "0, 1, 2 and 7 more"


def test_feature_lists_of_any_age_are_read_and_other_keys_ignored() -> None:
    text = '{"feature_stats": {"a": {}}, "feature_sets": {"small": ["a", "b"]}, "targets": ["t"]}'
    new = parse_feature_sets(text, "v5")
    assert (dict(new.sets), new.targets, new.everything) == ({"small": ("a", "b")}, ("t",), {"a", "b"})
    old = parse_feature_sets('{"medium": ["a"], "fncv3_features": ["b"]}', "v3")
    assert (set(old.sets), old.targets) == ({"medium", "fncv3_features"}, ())


@pytest.mark.parametrize("name", ["v5", "v5.3", "v5.10.1"])
def test_versions_are_told_from_names_that_lead_elsewhere(name: str) -> None:
    assert is_version(name, "")
    assert is_version(f"signals/{name}", "signals/")
    assert not is_version(name, "signals/")
    for other in (f"signals/{name}", f"{name}/", f"{name}\n", f"../{name}", f"{name}/../..", f"{name}.", "", "v", "v٣"):
        assert not is_version(other, ""), other


def test_a_page_instead_of_a_feature_list_is_to_be_fetched_again() -> None:
    with pytest.raises(Unavailable, match=r"v5/features.json: not JSON .* fetched again at the next attempt"):
        parse_feature_sets("<html>", "v5")


def test_numbered_eras_are_counted_by_their_number_also_where_some_are_absent() -> None:
    sparse = ["0575", "0590", "0591", "1000", "0999"]
    assert eras_after(sparse, "0574", 16) == ["0591", "0999", "1000"]
    assert eras_after(sparse, "0574", 0) == ["0575", "0590", "0591", "0999", "1000"]
    assert eras_after(["12", "13"], "9", 3) == ["13"]


def test_eras_that_are_dates_are_counted_one_by_one() -> None:
    weeks = ["2026-01-02", "2026-01-09", "2026-01-16", "2026-01-23"]
    assert eras_after(weeks[1:], weeks[0], 2) == [weeks[3]]
    assert eras_after(weeks, weeks[1], 0) == weeks[2:]
