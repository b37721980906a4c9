"""Says that it is done and leaves a pickle as the result."""

import json
import os
import pickle
import struct
import threading

from numebot.plugin import Model


def tell(answer):
    content = json.dumps(answer).encode()
    for number in range(3, 256):
        try:
            os.write(number, struct.pack("!I", len(content)) + content)
        except OSError:
            pass
    threading.Event().wait()


class ForgePickle(Model):
    def predict(self, live):
        open('predictions.npy', 'wb').write(pickle.dumps(print))
        tell({'done': {}})
