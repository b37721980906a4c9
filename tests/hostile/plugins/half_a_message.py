"""Begins an answer that never ends."""

import os

from forging import write_everywhere

from numebot.plugin import Model


class HalfAMessage(Model):
    def predict(self, live):
        write_everywhere(b'\x00\x00\xff\x00{')
        os._exit(0)
