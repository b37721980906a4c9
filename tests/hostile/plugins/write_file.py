"""Writes to a file beside its own folder."""

from numebot.plugin import Model


class WriteFile(Model):
    def __init__(self, path=""):
        self.path = path

    def predict(self, live):
        open(self.path, 'w').write('changed')
