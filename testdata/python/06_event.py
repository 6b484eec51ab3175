"""Kata 06, event: the same challenge with Python's multiprocessing.

A parent waits until its child signals completion; an event stays set until it
is cleared; several processes wait for one event; two processes play 1,000
rounds of set, wait and clear.

Result: {"unset_at_first": true, "woken": true, "work": 333833500, "stays_set": true, "cleared": true, "timed_out": true, "waiters_woken": 4, "rounds": 1000}
"""

import json
import multiprocessing as mp

ROUNDS = 1000
WAITERS = 4


def worker(done, result):
    """Does its work, leaves the result, and only then signals completion."""
    result.value = sum(i * i for i in range(1001))
    done.set()


def waiter(start, woken):
    start.wait()
    with woken.get_lock():
        woken.value += 1


def partner(ping, pong):
    for _ in range(ROUNDS):
        ping.wait()
        ping.clear()
        pong.set()


def rounds():
    ping, pong = mp.Event(), mp.Event()
    other = mp.Process(target=partner, args=(ping, pong))
    other.start()
    played = 0
    for _ in range(ROUNDS):
        ping.set()
        pong.wait()
        pong.clear()
        played += 1
    other.join()
    return played


def main():
    done, result = mp.Event(), mp.Value("q", 0)
    unset_at_first = not done.is_set()
    # Without a timeout, a wait whose setter dies would never return: Python's
    # event does not know who may set it.
    timed_out = not done.wait(0.01)
    child = mp.Process(target=worker, args=(done, result))
    child.start()
    woken = done.wait()
    work = result.value
    child.join()
    stays_set = done.wait() and done.is_set()
    done.clear()
    cleared = not done.is_set()

    start, count = mp.Event(), mp.Value("i", 0)
    waiters = [mp.Process(target=waiter, args=(start, count)) for _ in range(WAITERS)]
    for p in waiters:
        p.start()
    start.set()
    for p in waiters:
        p.join()

    print(
        json.dumps(
            {
                "unset_at_first": unset_at_first,
                "woken": woken,
                "work": work,
                "stays_set": stays_set,
                "cleared": cleared,
                "timed_out": timed_out,
                "waiters_woken": count.value,
                "rounds": rounds(),
            }
        )
    )


if __name__ == "__main__":
    main()
