"""Says that it is done and leaves a pipe as the result, which nobody fills."""

import os

from forging import say_done

from numebot.plugin import Model


class ForgePipe(Model):
    def predict(self, live):
        os.mkfifo('predictions.npy')
        say_done()
