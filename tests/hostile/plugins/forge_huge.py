"""Says that it is done and leaves half a gigabyte of nothing as the result."""

from forging import say_done

from numebot.plugin import Model


class ForgeHuge(Model):
    def predict(self, live):
        with open('predictions.npy', 'wb') as file:
            file.truncate(2**29)
        say_done()
