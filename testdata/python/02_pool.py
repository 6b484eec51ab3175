"""Kata 2, parallel computation, with Python's multiprocessing.

The squares of 1 to 10 by a pool of four workers, and the run time against that of the
sequential run (not part of the result: it is another one each time).

Result: {"squares": [1, 4, 9, 16, 25, 36, 49, 64, 81, 100], "empty": [], "same_results": true,
         "workers_within_limit": true, "none_in_parent": true, "error": "ValueError: 3",
         "workers_replaced": true, "refused": true}
"""

import json
import multiprocessing
import os
import sys
import time


def square(n):
    return n * n


def whoami(_):
    return os.getpid()


def burn(rounds):
    x = 88172645463325252
    for _ in range(rounds):
        x ^= x << 13 & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
        x ^= x << 17 & 0xFFFFFFFFFFFFFFFF
    return x


def picky(n):
    if n == 3:
        raise ValueError(n)
    return n


def compare(pool, task, inputs):
    start = time.perf_counter()
    alone = [task(n) for n in inputs]
    sequential = time.perf_counter() - start
    start = time.perf_counter()
    together = pool.map(task, inputs)
    parallel = time.perf_counter() - start
    return alone == together, sequential / parallel


def main():
    same = True
    with multiprocessing.Pool(4) as pool:
        squares = pool.map(square, range(1, 11))
        empty = pool.map(square, [])
        pids = set(pool.map(whoami, range(1000), chunksize=1))
        try:
            pool.map(picky, range(6))  # one error spoils all results
            error = None
        except ValueError as e:
            error = f"{type(e).__name__}: {e}"
        for name, task, inputs in (
            ("squares", square, range(1, 11)),
            ("burn(1,000)", burn, [1_000] * 8),
            ("burn(100,000)", burn, [100_000] * 8),
        ):
            equal, speedup = compare(pool, task, inputs)
            same = same and equal
            print(f"{name:14} speedup {speedup:.2f}", file=sys.stderr)
    with multiprocessing.Pool(2, maxtasksperchild=3) as pool:
        replaced = set(pool.map(whoami, range(12), chunksize=1))
    try:
        multiprocessing.Pool(0)
        refused = False
    except ValueError:
        refused = True

    print(
        json.dumps(
            {
                "squares": squares,
                "empty": empty,
                "same_results": same,
                "workers_within_limit": len(pids) <= 4,
                "none_in_parent": os.getpid() not in pids,
                "error": error,
                "workers_replaced": len(replaced) >= 4,
                "refused": refused,
            }
        )
    )


if __name__ == "__main__":
    main()
