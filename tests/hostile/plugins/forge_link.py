"""Says that it is done and leaves a link as the result."""

import os

from forging import say_done

from numebot.plugin import Model


class ForgeLink(Model):
    def predict(self, live):
        os.symlink('/etc/passwd', 'predictions.npy')
        say_done()
