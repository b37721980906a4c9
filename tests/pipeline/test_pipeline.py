"""One round, end to end, against a practice tournament."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from numebot.app import open_app
from numebot.cli.playing import as_answer
from numebot.core.errors import AccessDenied, ConfigError, LocalTrouble
from numebot.core.types import Event, RoundState, State
from numebot.pipeline import Wishes, play_round

Make = Callable[..., Any]


def test_a_round_is_played_to_confirmed(numebot: Make) -> None:
    bot = numebot()
    result = bot.run()
    assert result.is_done
    assert [(row.model, row.state) for row in result.submissions] == [
        ("alpha", State.CONFIRMED),
        ("beta", State.CONFIRMED),
    ]
    for row in result.submissions:
        (listed,) = bot.accepted(row.model)
        file = bot.data_folder / "submissions" / row.model / f"{row.model}_submission_{row.round_number}.csv"
        assert listed.filename == row.filename
        assert listed.id == row.submission_id
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row.sha256


def test_a_second_run_sends_nothing(numebot: Make, caplog: pytest.LogCaptureFixture) -> None:
    bot = numebot()
    first = bot.run()
    with caplog.at_level(logging.INFO, "numebot"):
        second = bot.run()
    assert second.submissions == first.submissions
    assert "alpha already confirmed" in caplog.text
    assert [len(bot.accepted(model)) for model in ("alpha", "beta")] == [1, 1]


def test_force_makes_a_new_submission_and_warns_about_stakes(numebot: Make, caplog: pytest.LogCaptureFixture) -> None:
    bot = numebot()
    (before,) = bot.run("alpha").submissions
    with caplog.at_level(logging.WARNING, "numebot"):
        (after,) = bot.run("alpha", force=True).submissions
    assert after.state is State.CONFIRMED
    assert after.filename != before.filename
    assert "stake that you authorised yourself for the old one no longer fits" in caplog.text
    assert len(bot.accepted("alpha")) == 2
    assert any("starting over on purpose" in line for line in bot.timeline("alpha"))


def test_a_dry_run_sends_nothing_and_says_so_on_every_line(numebot: Make, caplog: pytest.LogCaptureFixture) -> None:
    bot = numebot()
    with caplog.at_level(logging.INFO, "numebot"):
        result = bot.run("alpha", dry_run=True)
    assert result.is_done
    assert [row.state for row in result.submissions] == [State.CHECKED]
    assert bot.rows() == []
    assert bot.server.world.submissions_of("alpha") == []
    unsent = [record.getMessage() for record in caplog.records if "dry run; not sent" in record.getMessage()]
    assert len(unsent) == 4
    (written,) = (bot.data_folder / "submissions" / "alpha").iterdir()
    assert written.name.endswith(".dry-run.csv")


def test_a_new_data_folder_finds_what_is_confirmed_already(numebot: Make) -> None:
    first = numebot()
    (row,) = first.run("alpha").submissions
    second = numebot(first.server)
    (found,) = second.run("alpha").submissions
    assert (found.state, found.filename, found.submission_id) == (State.CONFIRMED, row.filename, row.submission_id)
    assert len(second.accepted("alpha")) == 1


def test_a_closed_round_is_exit_zero_and_sends_nothing(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.server.clock.advance(timedelta(minutes=31))
    result = bot.run()
    assert result.answer.state is RoundState.CLOSED
    assert result.is_done
    assert bot.server.world.submissions_of("alpha") == []


def test_a_deadline_within_the_margin_is_missed_and_not_uploaded(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.server.clock.advance(timedelta(minutes=29))
    result = bot.run("alpha")
    assert not result.is_done
    (row,) = result.submissions
    assert row.state is State.MISSED
    assert "less than 2 min away" in row.error
    assert bot.server.world.submissions_of("alpha") == []


def test_rows_that_never_ended_get_their_ending_after_the_deadline(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.configs("alpha", f"beta,{bot.plugin('broken', 'raise RuntimeError(2)')}")
    bot.run()
    bot.server.clock.advance(timedelta(minutes=31))
    result = bot.run()
    states = {row.model: row.state for row in result.submissions}
    assert states == {"alpha": State.CONFIRMED, "beta": State.MISSED}


def test_the_next_round_is_a_new_start(numebot: Make) -> None:
    bot = numebot()
    first = bot.run("alpha")
    bot.server.world.advance_to_next_opening()
    second = bot.run("alpha")
    assert second.answer.round.number == first.answer.round.number + 1
    assert second.is_done
    assert second.submissions[0].filename != first.submissions[0].filename


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('the weights are gone')", "ValueError: the weights are gone"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("return live.mean(axis=1) * float('nan')", "NaN"),
        ("return live.mean(axis=1) * 0 + 0.5", "the same"),
        ("return live.mean(axis=1).to_numpy()[:-3]", "shape"),
        ("return live.mean(axis=1).iloc[:-3]", "3"),
        ("s = live.mean(axis=1); s.index = s.index + 'x'; return s", "ids"),
        ("return 'nonsense'", "str"),
    ],
)
def test_one_bad_model_is_recorded_and_stops_no_other(numebot: Make, body: str, words: str) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('bad', body)}", "beta")
    result = bot.run()
    bad, good = result.submissions
    assert good.state is State.CONFIRMED
    assert bad.state is State.FAILED
    assert words in bad.error
    assert bot.accepted("alpha") == []
    assert not result.is_done


def test_shuffled_ids_are_put_right_by_their_index(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alpha", f"beta,{bot.plugin('shuffled', 'return live.mean(axis=1).sample(frac=1, random_state=1)')}")
    alpha, beta = bot.run().submissions
    assert (alpha.state, beta.state) == (State.CONFIRMED, State.CONFIRMED)
    assert alpha.sha256 == beta.sha256


def test_a_plugin_that_changes_its_input_disturbs_no_other(numebot: Make) -> None:
    bot = numebot()
    rude = bot.plugin("rude", "live.iloc[:, :] = 0; live.iloc[0] = 4; return live.mean(axis=1)")
    bot.configs(f"alpha,{rude}", "beta")
    _, beta = bot.run().submissions
    clean = numebot(bot.server)
    clean.configs("gamma")
    (gamma,) = clean.run().submissions
    assert beta.sha256 == gamma.sha256


def test_plugin_files_that_cannot_be_used_are_told_in_words(numebot: Make) -> None:
    bot = numebot()
    two = bot.plugin("two", "return live.mean(axis=1)")
    with (bot.home / two).open("a") as file:
        file.write("\n\nclass Second(Model):\n    def predict(self, live):\n        return 1\n")
    broken = bot.plugin("syntax", "return live.mean(axis=1")
    bot.configs(f"alpha,{two}", f"beta,{broken}", "gamma,plugins/mena.py")
    two_row, syntax_row, missing_row = bot.run().submissions
    assert "2 plugins, Two, Second" in two_row.error
    assert "syntax.py line" in syntax_row.error
    assert 'Did you mean "plugins/mean.py"' in missing_row.error
    assert {row.state for row in (two_row, syntax_row, missing_row)} == {State.FAILED}


def test_a_model_that_needs_training_says_how(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alpha,models.example_lightgbm", "beta")
    alpha, beta = bot.run().submissions
    assert "numebot train alpha" in alpha.error
    assert beta.state is State.CONFIRMED


def test_a_name_that_the_account_lacks_says_which_it_has(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alhpa", "beta")
    wrong, right = bot.run().submissions
    assert 'no classic model "alhpa"' in wrong.error
    assert 'Did you mean "alpha"' in wrong.error
    assert "It has: alpha, beta, gamma" in wrong.error
    assert right.state is State.CONFIRMED


def test_a_slot_with_a_pickle_is_left_alone(numebot: Make) -> None:
    bot = numebot()
    bot.server.world.assign_pickle("alpha")
    alpha, beta = bot.run().submissions
    assert "Unassign it" in alpha.error
    assert beta.state is State.CONFIRMED


def test_a_model_that_no_row_names_is_a_wrong_use(numebot: Make) -> None:
    with pytest.raises(ConfigError, match=r'model "alhpa".*Did you mean "alpha"'):
        numebot().run("alhpa")


def test_a_name_that_belongs_to_another_slot_now_starts_over(numebot: Make) -> None:
    bot = numebot()
    (before,) = bot.run("alpha").submissions
    world = bot.server.world
    alpha, gamma = (world.account.named(name, 8) for name in ("alpha", "gamma"))
    world.account.change_model(alpha, name="gamma")
    world.account.change_model(gamma, name="alpha")
    (after,) = bot.run("alpha").submissions
    assert after.state is State.CONFIRMED
    assert (after.model_id, after.filename != before.filename) == (gamma.id, True)
    assert any("belongs to another slot now" in line for line in bot.timeline("alpha"))


def test_an_upload_from_elsewhere_in_our_place_is_told(numebot: Make, caplog: pytest.LogCaptureFixture) -> None:
    bot = numebot()
    bot.run("alpha")
    with bot.app() as app:
        (slot,) = [slot for slot in app.server.account_models() if slot.name == "alpha"]
        granted = app.server.authorise_upload(8, slot.id, "by_hand.csv")
        (file,) = (bot.data_folder / "submissions" / "alpha").iterdir()
        app.server.put_file(granted, file)
        app.server.create_submission(8, slot.id, granted.filename)
    with caplog.at_level(logging.WARNING, "numebot"):
        (row,) = bot.run("alpha").submissions
    assert "by_hand" in row.error
    assert "uploaded elsewhere" in caplog.text


def test_a_dry_run_writes_no_ending(numebot: Make) -> None:
    bot = numebot(window_minutes=30)
    bot.configs(f"alpha,{bot.plugin('broken', 'raise RuntimeError(2)')}")
    bot.run()
    bot.server.clock.advance(timedelta(minutes=31))
    bot.run(dry_run=True)
    assert [row.state for row in bot.rows()] == [State.FAILED]
    bot.run()
    assert [row.state for row in bot.rows()] == [State.MISSED]


def test_a_deadline_that_slides_back_ahead_gives_a_missed_model_another_chance(numebot: Make) -> None:
    bot = numebot()
    bot.run("alpha")
    with bot.app() as app:
        (row,) = app.store.submissions(8, bot.rows()[0].round_number)
        bot.server.world.submissions_of("alpha")
        missed = replace(row, model="beta", state=State.MISSED, step=State.PENDING, filename=None, model_id=None)
        app.store.begin_submission(replace(missed, state=State.PENDING), now=row.updated_at)
        app.store.change(replace(missed, state=State.PENDING), missed, Event(row.updated_at, "state", "missed"))
    assert bot.run("beta").is_done


def test_a_database_that_another_process_holds_costs_a_run_and_nothing_else(numebot: Make) -> None:
    bot = numebot()
    bot.run("alpha")
    holder = sqlite3.connect(bot.data_folder / "numebot.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LocalTrouble, match="another process holds the database"):
        bot.run("beta")
    holder.execute("ROLLBACK")
    holder.close()
    assert bot.server.world.submissions_of("beta") == []
    assert bot.run().is_done
    assert [len(bot.accepted(model)) for model in ("alpha", "beta")] == [1, 1]


def test_a_key_in_the_words_of_a_plugin_reaches_nothing(numebot: Make, caplog: pytest.LogCaptureFixture) -> None:
    bot = numebot()
    _, secret = bot.key
    bot.configs(f"alpha,{bot.plugin('leak', f'raise RuntimeError({secret!r})')}")
    with caplog.at_level(logging.DEBUG, "numebot"):
        result = bot.run()
    assert "********" in result.submissions[0].error
    assert secret not in json.dumps(as_answer(result))
    assert all(secret.encode() not in path.read_bytes() for path in bot.data_folder.rglob("*") if path.is_file())


def test_a_model_keeps_its_data_version_while_that_is_on_offer(numebot: Make) -> None:
    bot = numebot()
    bot.configs("alpha,models.example_lightgbm")
    with bot.app() as app:
        config = replace(app.registry.models[0], parameters={"n_estimators": 5})
        app.train(config, lambda line: None)
    known = bot.server.world.market.dataset_names
    newer = [name.replace("v5.3/", "v5.4/") for name in known() if name.startswith("v5.3/")]
    bot.server.world.market.dataset_names = lambda: [*known(), *newer]
    with bot.app() as app:
        result = play_round(app.round_tools, 8, [config], Wishes())
        events = [event.message for event in app.store.events() if event.kind == "data-version"]
    assert result.is_done
    assert events == ["data version v5.4 is on offer; v5.3 stays in use for the models that were trained on it"]


def test_without_a_key_the_message_says_where_to_put_one(numebot: Make) -> None:
    bot = numebot()
    bot.key = ("", "")
    with pytest.raises(AccessDenied, match=r"\.secret"):
        bot.run()


def test_a_wrong_key_stops_the_pass(numebot: Make) -> None:
    bot = numebot()
    bot.key = (bot.server.public_id, "CANARYCANARYCANARY")
    with pytest.raises(AccessDenied) as caught:
        bot.run()
    assert "CANARY" not in str(caught.value)


def test_a_key_without_the_upload_scope_is_named_before_any_work(numebot: Make) -> None:
    bot = numebot()
    bot.server.world.add_key("READER", "READERSECRET", ["read_user_info", "read_submission_info"])
    bot.key = ("READER", "READERSECRET")
    with pytest.raises(AccessDenied, match="lacks upload_submission"):
        bot.run()
    assert bot.rows() == []


def test_a_key_that_may_do_too_much_is_warned_about(numebot: Make, caplog: pytest.LogCaptureFixture) -> None:
    bot = numebot()
    scopes = ["read_user_info", "read_submission_info", "upload_submission", "stake"]
    bot.server.world.add_key("WIDE", "WIDESECRET", scopes)
    bot.key = ("WIDE", "WIDESECRET")
    with caplog.at_level(logging.WARNING, "numebot"):
        assert bot.run().is_done
    assert "may also do stake" in caplog.text


def test_practice_and_real_results_never_share_a_database(numebot: Make) -> None:
    bot = numebot()
    bot.run("alpha")
    environ = bot.environ() | {"NUMEBOT_API_URL": "https://api-tournament.numer.ai"}
    with open_app(environ=environ) as app, pytest.raises(ConfigError, match="data folder of its own"):
        _ = app.store


def test_the_timeline_tells_each_step(numebot: Make) -> None:
    bot = numebot()
    bot.run("alpha")
    lines = bot.timeline("alpha")
    starts = ["predicted", "checked", "uploaded", "submitted", "confirmed"]
    assert [line.split()[0].rstrip(",") for line in lines] == starts


def test_no_secret_reaches_the_data_folder(numebot: Make) -> None:
    bot = numebot()
    bot.run()
    public_id, secret_key = bot.key
    for path in bot.data_folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret_key.encode() not in content, path
            assert public_id.encode() not in content, path
            assert b"X-Amz" not in content, path


def test_results_are_json_for_machines(numebot: Make) -> None:
    bot = numebot()
    answer = json.loads(json.dumps(as_answer(bot.run("alpha"))))
    assert list(answer) == ["tournament", "round", "state", "opens_at", "closes_at", "models"]
    names = ["name", "state", "filename", "submission_id", "sha256", "attempts", "fallback", "error"]
    assert list(answer["models"][0]) == names
