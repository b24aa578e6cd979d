"""Runs a snippet of a page: FILE PAGE PRINTS ends|endless. Long waits end when it has printed so many times."""

import builtins
import os
import sys
import threading
import time

file, page, wanted, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
enough = threading.Event()
printed = 0
show, rest = builtins.print, time.sleep


def counted(*values, **options):
    """As `print`, and counts what is no line of the client's own log."""
    global printed
    show(*values, **options | {"flush": True})
    printed += 1
    if printed >= wanted:
        enough.set()
        if kind == "endless":
            os._exit(0)


def shortened(seconds):
    """Sleeps of 5 s and more are for people who look at what comes; 30 s is when it will never come."""
    if seconds < 5:
        rest(seconds)
    elif not enough.wait(30):
        show(f"nothing was printed in 30 s of sleep({seconds})", flush=True)
        os._exit(1)


builtins.print, time.sleep = counted, shortened
with open(file) as source:
    exec(compile(source.read(), page, "exec"), {"__name__": "__main__"})
