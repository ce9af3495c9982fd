"""Pretended time: SPEED pretended seconds pass in a second.  botocore's waiters, those of the aws command too, wait as
long as AWS's models say, of the time that passes in the pretended world."""
import os, threading, time, types

import botocore.waiter

SPEED = float(os.environ["SPEED"])

botocore.waiter.time = types.SimpleNamespace(sleep=lambda seconds: threading.Event().wait(seconds / SPEED))


def happens(what, within):
    """Whether it does within so many pretended seconds."""
    end = time.monotonic() + within / SPEED
    while time.monotonic() < end:
        if what():
            return True
    return bool(what())
