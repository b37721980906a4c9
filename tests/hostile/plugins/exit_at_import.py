"""Ends the process while it is imported."""

import os

from numebot.plugin import Model

os._exit(0)


class ExitAtImport(Model):
    def predict(self, live):
        return live.mean(axis=1)
