"""After the deadline: upload once more, so that Numerai queues it for the next round. Off unless asked for.

If this machine is dead tomorrow, what was queued today counts. A missed round is uploaded late in the same way. These
uploads have rows of their own, under the number of the round that is over: they never touch what was confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from numebot.adapters.store import Store
from numebot.adapters.store.rows import SubmissionRows
from numebot.core.account import slot_problem
from numebot.core.errors import AccessDenied, CheckFailed, LocalTrouble, NumebotError, PluginError, Rejected
from numebot.core.fallback import rung_for
from numebot.core.submissions import ENDINGS, NEVER_CAME_BACK, ended, failed, has_reached, moved_on
from numebot.core.types import AccountModel, ListedSubmission, ModelConfig, State, Submission
from numebot.steps.journal import Journal
from numebot.steps.live_files import LiveFiles
from numebot.steps.open_round import OpenRound
from numebot.steps.predicting import Predictor
from numebot.steps.submitting import Submitter

RESERVE = timedelta(minutes=10)
"""Nothing is sent so shortly before the next round may open: it could arrive there, and be in its way."""
LOOK_AGAIN = timedelta(minutes=10)
"""When to look again for an upload that Numerai does not list yet."""


@dataclass(frozen=True)
class NetTools:
    """What the net needs: a journal and a submitter that write to its own rows."""

    store: Store
    rows: SubmissionRows
    journal: Journal
    predictor: Predictor
    submitter: Submitter


def spread_net(
    tools: NetTools,
    over: OpenRound,
    configs: Sequence[ModelConfig],
    slots: Mapping[str, AccountModel],
    files: LiveFiles,
) -> list[Submission]:
    """Bring the upload of each model to "queued", as far as it goes now; return the rows.

    `over` is the round that is over. Nothing is done shortly before the next one opens. Failures are recorded and tried
    again by a later pass; they never raise. Raises: LocalTrouble when the database cannot be written.
    """
    closes_at = over.round.closes_at
    if closes_at is None or over.now() >= closes_at - RESERVE:
        return []
    until_next = OpenRound(replace(over.round, deadline=closes_at), over.server_clock, over.clock, RESERVE)
    return [_one(tools, until_next, config, slots, files) for config in configs]


def settle_nets(
    tools: NetTools, tournament: int, slots: Mapping[str, AccountModel], *, open_number: int
) -> list[Submission]:
    """Give the uploads for rounds before the open one their ending; return their rows.

    What Numerai lists was queued, and counted from the opening on until the round's own submission took its place. For
    the others it is too late. Raises: LocalTrouble when the database cannot be written.
    """
    rows = [row for row in tools.rows.unfinished(tournament) if row.round_number < open_number]
    return [_settled(tools, row, slots.get(row.model)) for row in rows]


def _settled(tools: NetTools, row: Submission, slot: AccountModel | None) -> Submission:
    row = _listed(tools, row, slot.submissions if slot else ())
    if row.state in ENDINGS:
        return row
    what = "Numerai lists it nowhere" if row.filename else row.error or "it was not uploaded"
    words = f"{what}; the next round has opened"
    return tools.journal.change(row, ended(row, State.MISSED, words), f"safety net: {words}")


def _one(
    tools: NetTools,
    open_round: OpenRound,
    config: ModelConfig,
    slots: Mapping[str, AccountModel],
    files: LiveFiles,
) -> Submission:
    round_, slot = open_round.round, slots.get(config.name)
    fresh = Submission(round_.tournament, round_.number, config.name, model_id=slot.id if slot else None)
    row = tools.rows.begin(fresh, now=tools.journal.now())
    row = _listed(tools, row, slot.submissions if slot else ())
    if row.state in ENDINGS or (row.next_attempt_at is not None and row.next_attempt_at > open_round.now()):
        return row
    problem = slot_problem(config, slots)
    if problem is not None:
        return _given_up(tools, row, problem)
    if row.begun_at is not None:
        return _plugin_failed(tools, row, config, NEVER_CAME_BACK, open_round)
    if has_reached(row, State.SUBMITTED):
        return tools.journal.change_quietly(row, replace(row, next_attempt_at=open_round.now() + LOOK_AGAIN))
    return _sent(tools, row, config, files, open_round)


def _sent(
    tools: NetTools, row: Submission, config: ModelConfig, files: LiveFiles, open_round: OpenRound
) -> Submission:
    try:
        if not has_reached(row, State.UPLOADED):
            row = _checked(tools, row, config, files)
        return tools.submitter.submit(row, tools.predictor.file_of(row), open_round)
    except KeyboardInterrupt:
        current = _current(tools, row)
        tools.journal.change_quietly(current, replace(current, begun_at=None))
        raise
    except (PluginError, CheckFailed) as error:
        return _plugin_failed(tools, _current(tools, row), config, str(error), open_round)
    except (Rejected, AccessDenied) as error:
        return _given_up(tools, _current(tools, row), str(error))
    except LocalTrouble:
        raise
    except NumebotError as error:
        current = _current(tools, row)
        again = failed(current, str(error), next_attempt_at=open_round.next_attempt(current.attempts + 1))
        return tools.journal.change(current, again, f"safety net: failed: {error}")


def _current(tools: NetTools, row: Submission) -> Submission:
    return tools.rows.one(row.tournament, row.round_number, row.model) or row


def _given_up(tools: NetTools, row: Submission, words: str) -> Submission:
    return tools.journal.change(row, ended(row, State.REJECTED, words), f"safety net: not sent: {words}")


def _plugin_failed(
    tools: NetTools, row: Submission, config: ModelConfig, words: str, open_round: OpenRound
) -> Submission:
    """Take the next rung of the fallback ladder at the next attempt; give up after the last one."""
    after = replace(row, plugin_failures=row.plugin_failures + 1)
    if _rung(tools, after, config) == _rung(tools, row, config):
        return _given_up(tools, row, words)
    again = failed(after, words, next_attempt_at=open_round.next_attempt(row.attempts + 1))
    return tools.journal.change(row, again, f"safety net: failed: {words}")


def _rung(tools: NetTools, row: Submission, config: ModelConfig) -> str | None:
    """Return the rung that it is time for: one further for each failure, in the round itself and since."""
    main = tools.store.submission(row.tournament, row.round_number, row.model)
    failures = row.plugin_failures + (main.plugin_failures if main is not None else 0)
    return rung_for(config.fallback, failures, timedelta())


def _checked(tools: NetTools, row: Submission, config: ModelConfig, files: LiveFiles) -> Submission:
    """Take the file that the round's own upload was made from, or make one in the same way."""
    main = tools.store.submission(row.tournament, row.round_number, row.model)
    if row.step is State.PENDING and main is not None and tools.predictor.has_file(main):
        done = moved_on(row, State.CHECKED, sha256=main.sha256, trained_version=main.trained_version, rung=main.rung)
        return tools.journal.change(row, done, "safety net: the file of the round's own upload is taken")
    if row.step is State.CHECKED and tools.predictor.has_file(row):
        return row
    return tools.predictor.bring_to_checked(row, config, files, tools.journal, rung=_rung(tools, row, config))


def _listed(tools: NetTools, row: Submission, listed: Sequence[ListedSubmission]) -> Submission:
    """Write down when Numerai lists our upload: as late for the round that is over, or queued for the next one."""
    if row.filename is None or row.state in ENDINGS:
        return row
    ours = [entry for entry in listed if entry.filename == row.filename]
    if not any(entry.status in ("late", "queued", "on-time") for entry in ours):
        return row
    row = tools.journal.change(row, ended(row, State.QUEUED), f"safety net: queued for the next round ({row.filename})")
    main = tools.store.submission(row.tournament, row.round_number, row.model)
    if main is not None and main.state is State.MISSED:
        words = f"{main.error or 'missed'}; uploaded late, which Numerai queues for the next round"
        tools.store.change(main, replace(main, state=State.QUEUED, error=words), None)
    return row
