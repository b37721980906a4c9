"""A small neural network with PyTorch, where that is installed: two hidden layers, trained by batches of rows.

Install the library into numebot's environment first: .venv/bin/pip install torch
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from numebot.plugin import Model, TrainingData
from numebot.workshop import NO_HISTORY

MODEL_FILE = "network.pt"


class TorchMlp(Model):
    """Two hidden layers on one of Numerai's feature sets."""

    def __init__(
        self,
        *,
        feature_set: str = "small",
        target: str = "target",
        width: int = 64,
        epochs: int = 5,
        batch_rows: int = 8192,
        learning_rate: float = 0.001,
        random_state: int = 0,
    ) -> None:
        self.feature_set = feature_set
        self.target = target
        self.width = width
        self.epochs = epochs
        self.batch_rows = batch_rows
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.network: torch.nn.Sequential | None = None

    def fit(self, data: TrainingData) -> None:
        """Learn from the training data."""
        torch.manual_seed(self.random_state)
        network = self.new_network(data.X.shape[1])
        optimiser = torch.optim.Adam(network.parameters(), lr=self.learning_rate)
        # The whole training set as float32 may be large; one batch at a time is not.
        rows, targets = data.X.to_numpy(), torch.tensor(data.y.to_numpy(dtype=np.float32))
        for _ in range(self.epochs):
            for numbers in torch.randperm(len(targets)).split(self.batch_rows):
                optimiser.zero_grad()
                found = network(as_tensor(rows[numbers.numpy()])).squeeze(1)
                torch.nn.functional.mse_loss(found, targets[numbers]).backward()
                optimiser.step()
        self.network = network

    def predict(self, live: pd.DataFrame) -> npt.NDArray[np.float32]:
        """Return one number per row; numebot ranks them."""
        if self.network is None:
            raise RuntimeError("TorchMlp predicts after fit or load.")
        self.network.eval()
        with torch.no_grad():
            return np.asarray(self.network(as_tensor(live.to_numpy())).squeeze(1).numpy(), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the weights."""
        if self.network is None:
            raise RuntimeError("TorchMlp is saved after fit.")
        torch.save(self.network.state_dict(), folder / MODEL_FILE)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; weights alone, so nothing in the file can run."""
        weights = torch.load(folder / MODEL_FILE, weights_only=True)
        self.network = self.new_network(weights["0.weight"].shape[1])
        self.network.load_state_dict(weights)

    def new_network(self, features: int) -> torch.nn.Sequential:
        """Return a network that has learned nothing yet."""
        return torch.nn.Sequential(
            torch.nn.Linear(features, self.width),
            torch.nn.ReLU(),
            torch.nn.Linear(self.width, self.width),
            torch.nn.ReLU(),
            torch.nn.Linear(self.width, 1),
        )


def as_tensor(rows: npt.NDArray[np.generic]) -> torch.Tensor:
    """Return features as the network wants them: around 0, without gaps."""
    return torch.tensor(np.nan_to_num(rows.astype(np.float32), nan=NO_HISTORY) - NO_HISTORY)
