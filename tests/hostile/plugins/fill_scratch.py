"""Leaves a tree of folders that is hard to remove."""

import os

from numebot.plugin import Model


class FillScratch(Model):
    def predict(self, live):
        for _ in range(300):
            os.mkdir('x' * 100)
            os.chdir('x' * 100)
        return live.mean(axis=1)
