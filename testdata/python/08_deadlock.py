"""Deadlock, and two ways out of it, with Python's multiprocessing.

Two processes each take one of two locks, meet, and reach for the other's. Python
cannot see a deadlock: the only way to notice one is to give up waiting after a
while, which is a guess. Then five philosophers, each a process, eat 200 meals:
first with ordered locks, then with a semaphore that leaves one of them out.

Result: {"deadlock": [{"holds": 0, "waits": 1}, {"holds": 1, "waits": 0}], "ordered": [200, 200, 200, 200, 200], "admitted": [200, 200, 200, 200, 200]}
"""

import contextlib
import json
import multiprocessing

SEATS, MEALS = 5, 200


def deadlocker(i, locks, meeting, stuck):
    own, other = i, (i + 1) % len(locks)
    with locks[own]:
        meeting.wait()  # everybody holds before anybody waits
        if locks[other].acquire(timeout=0.5):
            locks[other].release()
        else:
            stuck.put({"holds": own, "waits": other})
        meeting.wait()  # and nobody lets go before everybody has given up


def simulate(n):
    locks = [multiprocessing.Lock() for _ in range(n)]
    meeting, stuck = multiprocessing.Barrier(n), multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=deadlocker, args=(i, locks, meeting, stuck))
        for i in range(n)
    ]
    for p in processes:
        p.start()
    waits = [stuck.get() for _ in processes]
    for p in processes:
        p.join()
    return sorted(waits, key=lambda w: w["holds"])


def philosopher(seat, forks, admitted, eaten):
    left, right = seat, (seat + 1) % len(forks)
    if admitted is None:  # no waiter: the lower number first
        left, right = min(left, right), max(left, right)
    for _ in range(MEALS):
        with admitted or contextlib.nullcontext(), forks[left], forks[right]:
            eaten[seat] += 1  # nobody else writes this element


def dine(admitted):
    forks = [multiprocessing.Lock() for _ in range(SEATS)]
    eaten = multiprocessing.Array("i", SEATS, lock=False)
    processes = [
        multiprocessing.Process(target=philosopher, args=(seat, forks, admitted, eaten))
        for seat in range(SEATS)
    ]
    for p in processes:
        p.start()
    for p in processes:
        p.join()
    return list(eaten)


if __name__ == "__main__":
    print(json.dumps({
        "deadlock": simulate(2),
        "ordered": dine(None),
        "admitted": dine(multiprocessing.Semaphore(SEATS - 1)),
    }))
