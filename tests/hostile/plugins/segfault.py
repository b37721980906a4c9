"""Reads from address 0."""

import ctypes

from numebot.plugin import Model


class Segfault(Model):
    def predict(self, live):
        ctypes.string_at(0)
