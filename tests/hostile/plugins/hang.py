"""Never comes to an end."""

from numebot.plugin import Model


class Hang(Model):
    def predict(self, live):
        while True:
            pass
