"""Rows for PyTorch, made float batch by batch. Needs torch, which numebot does not install."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from numebot.workshop.feeders.rows import Rows

Pair = tuple[torch.Tensor, torch.Tensor]


class RowDataset(torch.utils.data.Dataset[Pair]):  # type: ignore[misc] # the library is not there
    """Pairs of (features, targets), float32. A DataLoader asks for a whole batch at once."""

    def __init__(self, rows: Rows, targets: npt.NDArray[np.float32]) -> None:
        self._rows, self._targets = rows, targets

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Pair:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[Pair]:
        """Return several pairs, read together."""
        places = np.asarray(indices, dtype=np.intp)
        features = torch.from_numpy(self._rows.picked(places).astype(np.float32))
        return list(zip(features, torch.from_numpy(self._targets[places]), strict=True))
