"""Says that it is done and leaves a pickle as the result."""

import pickle

from forging import say_done

from numebot.plugin import Model


class ForgePickle(Model):
    def predict(self, live):
        open('predictions.npy', 'wb').write(pickle.dumps(print))
        say_done()
