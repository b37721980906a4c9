"""Spreads memory over children, each below the limit."""

import os
import threading

import numpy as np

from numebot.plugin import Model


class AllocateInChildren(Model):
    def predict(self, live):
        for _ in range(4):
            if os.fork() == 0:
                kept = np.random.default_rng().random(30_000_000)
                threading.Event().wait()
                print(kept)
        threading.Event().wait()
