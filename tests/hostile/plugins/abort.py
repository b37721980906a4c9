"""Ends as a failed assertion of a C library does."""

import os

from numebot.plugin import Model


class Abort(Model):
    def predict(self, live):
        print('assertion failed in libmodel.so', flush=True)
        os.abort()
