"""Multiplies, for some seconds at most: a test that fails must not take the machine along."""

import os
import time

from numebot.plugin import Model


class ForkBomb(Model):
    def predict(self, live):
        end = time.monotonic() + 6
        while time.monotonic() < end:
            os.fork()
        os._exit(1)
