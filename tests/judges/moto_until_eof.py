#!/usr/bin/env python3
"""moto_typed.py, which ends by itself when standard input ends: whoever holds the pipe to it may die in any way
and no server is left behind.  Usage: python3 moto_until_eof.py -H 127.0.0.1 -p 0"""
import os
import threading


def end_with_stdin():
    # The descriptor itself: a buffered reader would hold a lock that the interpreter's own end waits for.
    while os.read(0, 4096):
        pass
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
import moto_typed  # noqa: E402,F401  (serves until the process ends)
