"""Prints a gigabyte."""

import os

from numebot.plugin import Model


class PrintGigabytes(Model):
    def predict(self, live):
        line = b'x' * 2**20
        for _ in range(1024):
            os.write(1, line)
        raise ValueError('done with printing')
