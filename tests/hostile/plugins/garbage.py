"""Writes garbage into every file that is open."""

import os
import threading

from numebot.plugin import Model


class Garbage(Model):
    def predict(self, live):
        for number in range(3, 256):
            try:
                os.write(number, b'\xff' * 100_000)
            except OSError:
                pass
        threading.Event().wait()
