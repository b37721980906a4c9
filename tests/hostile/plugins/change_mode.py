"""Lets everybody read a file."""

import os

from numebot.plugin import Model


class ChangeMode(Model):
    def __init__(self, path=""):
        self.path = path

    def predict(self, live):
        os.chmod(self.path, 0o777)
        return live.mean(axis=1)
