"""Wants 200 GB at once."""

import numpy as np

from numebot.plugin import Model


class Allocate200Gb(Model):
    def predict(self, live):
        return np.ones(25_000_000_000)
