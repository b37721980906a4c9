"""Waits for ever, in a thread too, and listens to no signal."""

import signal
import threading

from numebot.plugin import Model


class HangDeaf(Model):
    def predict(self, live):
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=threading.Event().wait).start()
        threading.Event().wait()
