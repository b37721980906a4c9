"""What hostile plugins share: an answer of their own making on everything that is open. No plugin itself."""

import json
import os
import struct
import threading


def write_everywhere(content):
    for number in range(3, 256):
        try:
            os.write(number, content)
        except OSError:
            pass


def say_done():
    content = json.dumps({"done": {}}).encode()
    write_everywhere(struct.pack("!I", len(content)) + content)
    threading.Event().wait()
