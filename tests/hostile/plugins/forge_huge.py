"""Says that it is done and leaves a terabyte of nothing as the result."""

import json
import os
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


class ForgeHuge(Model):
    def predict(self, live):
        with open('predictions.npy', 'wb') as file:
            file.truncate(2**29)
        tell({'done': {}})
