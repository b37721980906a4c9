"""Begins an answer that never ends."""

import os

from numebot.plugin import Model


class HalfAMessage(Model):
    def predict(self, live):
        for number in range(3, 256):
            try:
                os.write(number, b'\x00\x00\xff\x00{')
            except OSError:
                pass
        os._exit(0)
