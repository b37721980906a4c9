"""Ends the process as if all were well."""

import os

from numebot.plugin import Model


class ExitZero(Model):
    def predict(self, live):
        os._exit(0)
