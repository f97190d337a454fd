"""Runs a program and reaps what it orphans, as init does; in a container often nobody does, and the dead stay visible.

  reaper.py PROGRAM ARGUMENTS…
"""

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    program = subprocess.Popen(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: program.terminate())
    while os.waitpid(-1, 0)[0] != program.pid:
        pass


if __name__ == "__main__":
    main()
