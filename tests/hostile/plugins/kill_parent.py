"""Ends the process that watches it."""

import os
import signal
import threading

from numebot.plugin import Model


class KillParent(Model):
    def predict(self, live):
        os.kill(os.getppid(), signal.SIGKILL)
        threading.Event().wait()
