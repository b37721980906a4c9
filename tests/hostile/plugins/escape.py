"""Leaves a grandchild in a session of its own, and answers."""

import os
import signal
import threading

from numebot.plugin import Model


class Escape(Model):
    def predict(self, live):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                threading.Event().wait()
            os._exit(0)
        os.wait()
        return live.mean(axis=1)
