"""What Numerai's diagnostics say of predictions for the validation data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DiagnosticsResult:
    """One run. `figures` and the figures of each era go by the API's names; what is null there is left out."""

    id: str
    status: str
    message: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    per_era: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not: nothing more will change."""
        return self.status.lower() not in ("", "pending", "queued", "processing", "running", "created", "uploaded")

    @property
    def has_failed(self) -> bool:
        """Whether Numerai refused the predictions or could not judge them."""
        return self.is_done and not (self.figures or self.per_era)
