"""How a program and the test that started it talk: JSON lines out, plain lines in."""

import json
import sys
import threading
import time
import zlib

_printing = threading.Lock()


def options():
    """The arguments, each written name=value."""
    return dict(word.split("=", 1) for word in sys.argv[1:])


def emit(event, **fields):
    line = json.dumps({"event": event, **fields}, separators=(",", ":"))
    with _printing:
        print(line, flush=True)


def until_stopped():
    """Returns at the line "stop", or at the end of standard input."""
    for line in sys.stdin:
        if line.strip() == "stop":
            return


def crc(body):
    return zlib.crc32(body)


def now():
    return int(time.time() * 1000)
