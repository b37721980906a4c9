"""Shows its environment."""

import os

from numebot.plugin import Model


class OwnEnvironment(Model):
    def predict(self, live):
        print('ENVIRONMENT', sorted(os.environ), os.getcwd())
        return live.mean(axis=1)
