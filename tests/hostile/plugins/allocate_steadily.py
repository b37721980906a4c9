"""Takes more and more memory."""

import numpy as np

from numebot.plugin import Model


class AllocateSteadily(Model):
    def predict(self, live):
        kept = []
        while True:
            kept.append(np.ones(2_000_000))
