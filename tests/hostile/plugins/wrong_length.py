"""Forgets a row."""

from numebot.plugin import Model


class WrongLength(Model):
    def predict(self, live):
        return live.mean(axis=1).to_numpy()[1:]
