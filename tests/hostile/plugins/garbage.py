"""Writes garbage into every file that is open."""

import threading

from forging import write_everywhere

from numebot.plugin import Model


class Garbage(Model):
    def predict(self, live):
        write_everywhere(b'\xff' * 100_000)
        threading.Event().wait()
