"""Looks into the environment and the memory of the processes above it."""

import os

from numebot.plugin import Model


class ReadParents(Model):
    def predict(self, live):
        process = os.getppid()
        while process > 1:
            for name in ("environ", "mem", "maps"):
                try:
                    print("READ", len(open(f"/proc/{process}/{name}", "rb").read(10)))
                except OSError as error:
                    print("REFUSED", error)
            try:
                process = int(open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[1])
            except OSError:
                break
        try:
            print("READ", os.listdir("/proc"))
        except OSError as error:
            print("REFUSED", error)
        return live.mean(axis=1)
