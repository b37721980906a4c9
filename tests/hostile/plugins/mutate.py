"""Changes the frame that it was given, its index too."""

from numebot.plugin import Model


class Mutate(Model):
    def predict(self, live):
        live.iloc[:, :] = 0
        live.index.to_numpy()[:] = 'x'
        return range(len(live))
