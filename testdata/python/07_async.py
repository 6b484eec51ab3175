"""Kata 07, async: the same challenge with Python's multiprocessing.

Tasks are submitted to a pool of processes in the background, and their results
are collected later, by get, by callback, and in chunks.

Result: {"ready_at_once": false, "square": 1764, "again": 1764, "error": "7 is not wanted", "successful": [true, false], "callback": [1764], "error_callback": ["7 is not wanted"], "map": [0, 1, 4, 9, 16, 25, 36, 49, 64, 81], "map_error": "7 is not wanted", "outstanding": 333283335000, "after_close": "Pool not running", "after_join": 1764}
"""

import json
import multiprocessing as mp

WORKERS = 2


def square(n):
    return n * n


def square_when(gate, n):
    gate.wait()
    return n * n


def fail(n):
    raise ValueError(f"{n} is not wanted")


def picky(n):
    if n == 7:
        fail(n)
    return n * n


def message(result):
    try:
        result.get()
    except ValueError as e:
        return str(e)
    return ""


def main():
    values, errors = [], []
    with mp.Manager() as manager:
        pool = mp.Pool(WORKERS)
        gate = manager.Event()
        slow = pool.apply_async(square_when, (gate, 42), callback=values.append)
        ready_at_once = slow.ready()  # the gate is shut: it cannot be
        try:
            slow.get(timeout=0.01)
        except mp.TimeoutError:
            pass  # the value is not lost by that
        gate.set()
        value, again = slow.get(), slow.get()

        failed = pool.apply_async(fail, (7,), error_callback=lambda e: errors.append(str(e)))
        error = message(failed)

        squares = pool.map_async(square, range(10), chunksize=3).get()
        map_error = message(pool.map_async(picky, range(10), chunksize=3))
        many = [pool.apply_async(square, (n,)) for n in range(10_000)]
        outstanding = sum(r.get() for r in many)

        pool.close()
        try:
            pool.apply_async(square, (1,))
            after_close = ""
        except ValueError as e:
            after_close = str(e)
        pool.join()

    print(
        json.dumps(
            {
                "ready_at_once": ready_at_once,
                "square": value,
                "again": again,
                "error": error,
                "successful": [slow.successful(), failed.successful()],
                "callback": values,
                "error_callback": errors,
                "map": squares,
                "map_error": map_error,
                "outstanding": outstanding,
                "after_close": after_close,
                "after_join": slow.get(),
            }
        )
    )


if __name__ == "__main__":
    main()
