"""Closes every file that is open."""

import os

from numebot.plugin import Model


class CloseAll(Model):
    def predict(self, live):
        os.closerange(0, 4096)
        return live.mean(axis=1)
