"""Reads a file that is none of its business."""

from numebot.plugin import Model


class ReadFile(Model):
    def __init__(self, path=""):
        self.path = path

    def predict(self, live):
        raise ValueError(open(self.path).read())
