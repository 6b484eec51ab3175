"""One task that needs nothing but processor time, by Python's threads and processes.

The threads share one global interpreter lock: they take turns, and two of them
need as long as one. The processes have an interpreter, and a lock, each. The times
go to standard error, since they differ from run to run.

Result: {"units": 200, "sequential": 209133751036, "threading": 209133751036, "multiprocessing": 209133751036}
"""

import json
import multiprocessing
import sys
import threading
import time

UNITS, WORKERS = 200, 2


def mix(i):
    x = i
    for _ in range(1000):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def share(sums, w, workers):
    """Does the units w, w + workers, w + 2*workers and so on."""
    total = 0
    for i in range(w, UNITS, workers):
        total += mix(i)
    sums[w] = total


def run(kind, sums):
    workers = [kind(target=share, args=(sums, w, WORKERS)) for w in range(WORKERS)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return sum(sums)


def timed(name, f, *args):
    begin = time.perf_counter()
    result = f(*args)
    print(f"{name:>16} {1000 * (time.perf_counter() - begin):7.1f} ms", file=sys.stderr)
    return result


def sequential():
    sums = [0]
    share(sums, 0, 1)
    return sums[0]


if __name__ == "__main__":
    print(f"switch interval: {1000 * sys.getswitchinterval():g} ms", file=sys.stderr)
    print(json.dumps({
        "units": UNITS,
        "sequential": timed("sequential", sequential),
        "threading": timed("threading", run, threading.Thread, [0] * WORKERS),
        "multiprocessing": timed("multiprocessing", run, multiprocessing.Process,
                                 multiprocessing.Array("Q", WORKERS, lock=False)),
    }))
