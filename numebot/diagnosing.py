"""STORY 2, at its end: let Numerai's diagnostics judge predictions for the validation data as well."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numebot.core.diagnostics import DiagnosticsResult
from numebot.core.errors import Rejected, Unavailable
from numebot.core.evaluation import Evaluation
from numebot.core.ports import Clock, DiagnosticsServer

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How long to wait for Numerai's diagnostics, and how often to ask meanwhile, in seconds."""

    timeout_s: float = 1800.0
    poll_s: float = 5.0


def diagnosed(
    evaluation: Evaluation,
    predictions: Path,
    *,
    server: DiagnosticsServer,
    model_id: str,
    clock: Clock,
    patience: Patience,
    progress: Progress = lambda line: None,
) -> Evaluation:
    """Upload the predictions to Numerai's diagnostics and return the evaluation with what it says of them.

    Raises: AccessDenied, Unavailable, Rejected with Numerai's words.
    """
    subject = evaluation.subject
    id = server.upload(subject.tournament, model_id, predictions)
    progress(f"{subject.model}: uploaded {predictions.stat().st_size:,} bytes to Numerai's diagnostics, run {id}")
    result = _awaited(server, model_id, id, clock, patience)
    if result.has_failed:
        words = result.message or result.status
        raise Rejected(f"{subject.model}: Numerai's diagnostics declined the predictions: {words}", [words])
    return evaluation.with_diagnostics(result)


def _awaited(
    server: DiagnosticsServer, model_id: str, id: str, clock: Clock, patience: Patience
) -> DiagnosticsResult:
    end = clock.monotonic() + patience.timeout_s
    while True:
        try:
            result = server.result(model_id, id)
            if result.is_done:
                return result
        except Unavailable as error:
            logger.warning("diagnostics: %s", error)
        if clock.monotonic() >= end:
            waited = f"{patience.timeout_s:.0f} s"
            raise Unavailable(f"diagnostics: run {id} has no result after {waited}. It can be seen on numer.ai.")
        clock.wait(patience.poll_s)
