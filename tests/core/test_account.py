from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.core.account import HARMLESS_SCOPES, NEEDED_SCOPES, choose, require_scopes, slot_problem
from numebot.core.errors import AccessDenied, ConfigError
from numebot.core.types import AccountModel, KeyInfo, ModelConfig, Tournament

SLOTS = {name: AccountModel(f"id-{name}", name, Tournament.CLASSIC) for name in ("rpica", "rpica2")}


def key(scopes: Sequence[str] | None) -> KeyInfo:
    return KeyInfo("rpica", "daemon", None if scopes is None else frozenset(scopes))


def config(name: str, **changes: object) -> ModelConfig:
    return ModelConfig(name, "models.feature_mean", **changes)  # type: ignore[arg-type] # names are the test's


def test_a_key_with_the_needed_scopes_fits_without_a_word() -> None:
    assert require_scopes(key(NEEDED_SCOPES)) is None
    assert require_scopes(key(sorted(HARMLESS_SCOPES))) is None


@pytest.mark.parametrize("absent", NEEDED_SCOPES)
def test_a_missing_scope_is_named_with_those_that_are_there(absent: str) -> None:
    scopes = [scope for scope in NEEDED_SCOPES if scope != absent]
    with pytest.raises(AccessDenied) as refusal:
        require_scopes(key(scopes))
    assert f'API key "daemon" of rpica: it lacks {absent} (it has {", ".join(sorted(scopes))})' in str(refusal.value)
    assert "make a new key" in str(refusal.value)


def test_a_key_without_any_scope_is_not_one_with_unknown_scopes() -> None:
    with pytest.raises(AccessDenied):
        require_scopes(key([]))


def test_unknown_scopes_are_a_warning_and_never_a_refusal() -> None:
    warning = require_scopes(key(None))
    assert warning is not None
    assert "the scopes of the API key are unknown" in warning
    assert all(scope in warning for scope in NEEDED_SCOPES)


@given(st.frozensets(st.sampled_from([*NEEDED_SCOPES, "download_submission", "stake", "upload_model"])))
def test_a_key_is_refused_exactly_when_a_needed_scope_is_missing(scopes: frozenset[str]) -> None:
    try:
        warning = require_scopes(KeyInfo("rpica", "daemon", scopes))
    except AccessDenied:
        assert not scopes.issuperset(NEEDED_SCOPES)
    else:
        assert scopes.issuperset(NEEDED_SCOPES)
        assert (warning is not None) == bool(scopes & {"stake", "upload_model"})


def test_a_key_that_may_do_too_much_is_warned_of() -> None:
    warning = require_scopes(key([*NEEDED_SCOPES, "stake"]))
    assert warning is not None
    assert 'API key "daemon" may also do stake, which numebot never needs' in warning


def test_a_model_with_a_slot_can_be_played() -> None:
    assert slot_problem(config("rpica"), SLOTS) is None


def test_a_model_without_a_slot_is_told_the_nearest_name_and_all_of_them() -> None:
    problem = slot_problem(config("rpicca", line=4), SLOTS)
    assert problem == (
        'model_configs.csv line 4, numerai_name: the account has no classic model "rpicca". Did you mean "rpica"? '
        "It has: rpica, rpica2. The other models run."
    )


def test_an_account_without_models_is_said_to_have_none() -> None:
    problem = slot_problem(config("rpica", tournament=Tournament.SIGNALS), {})
    assert problem is not None
    assert 'no signals model "rpica". It has: none.' in problem


def test_a_slot_with_a_model_upload_is_not_played() -> None:
    slots = {"rpica": AccountModel("id-rpica", "rpica", Tournament.CLASSIC, has_pickle=True)}
    problem = slot_problem(config("rpica"), slots)
    assert problem is not None
    assert "Unassign it on numer.ai" in problem


def test_a_row_with_a_problem_of_its_own_keeps_it() -> None:
    assert slot_problem(config("nobody", problem="line 3: no model_code"), SLOTS) == "line 3: no model_code"


ROWS = [config("b"), config("off", enabled=False), config("a")]


def test_without_names_the_enabled_rows_are_played_in_file_order() -> None:
    assert [row.name for row in choose(ROWS, [])] == ["b", "a"]


def test_named_rows_are_played_in_file_order_also_when_they_are_off() -> None:
    assert [row.name for row in choose(ROWS, iter(["a", "off", "a"]))] == ["off", "a"]


def test_every_name_without_a_row_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        choose(ROWS, ["of", "a", "zzz"])
    assert str(refusal.value).splitlines() == [
        'model "of": no row of model_configs.csv has this numerai_name. Did you mean "off"?',
        'model "zzz": no row of model_configs.csv has this numerai_name.',
        "Rows are there for: a, b, off.",
    ]


def test_a_name_where_no_row_is_at_all_says_so() -> None:
    with pytest.raises(ConfigError, match=r"Rows are there for: no model\."):
        choose([], ["a"])
