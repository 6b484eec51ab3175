"""Kata 03, shared memory: the same challenge with Python's multiprocessing.

Four processes increment one shared Value, 1,000 times each: without a lock
(the sum is then anything up to 4,000, so only that bound is part of the
result), with the Value's own lock, and with a Lock beside it. Three processes fill
an Array with squares. A lock is tried while another process holds it.

Result: {"locked": 4000, "own_lock": 4000, "unlocked_at_most_4000": true, "squares": [0, 1, 4, 9, 16, 25, 36, 49, 64, 81], "zeroed": true, "try_while_held": false, "try_after_release": true}
"""

import json
import multiprocessing as mp

PROCESSES = 4
INCREMENTS = 1000
ELEMENTS = 10
FILLERS = 3


def unlocked(counter, _, begin):
    begin.wait()
    for _ in range(INCREMENTS):
        counter.value += 1  # a read and a write: this is the race


def own_lock(counter, _, begin):
    begin.wait()
    for _ in range(INCREMENTS):
        with counter.get_lock():
            counter.value += 1


def locked(counter, lock, begin):
    begin.wait()
    for _ in range(INCREMENTS):
        with lock:
            counter.value += 1


def count(way):
    """Lets all processes begin together, and returns the sum."""
    counter = mp.Value("q", 0)
    lock = mp.Lock()
    begin = mp.Barrier(PROCESSES)
    children = [mp.Process(target=way, args=(counter, lock, begin)) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return counter.value


def fill(array, me):
    """Writes each FILLERS-th element, from number me on. Nobody else does."""
    for i in range(me, len(array), FILLERS):
        array[i] = i * i


def squares():
    array = mp.Array("q", ELEMENTS)
    zeroed = array[:] == [0] * ELEMENTS
    children = [mp.Process(target=fill, args=(array, me)) for me in range(FILLERS)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return array[:], zeroed


def hold(lock, held, release):
    with lock:
        held.set()
        release.wait()


def try_lock():
    """Tries to get a lock while a child holds it, and after that."""
    lock, held, release = mp.Lock(), mp.Event(), mp.Event()
    child = mp.Process(target=hold, args=(lock, held, release))
    child.start()
    held.wait()
    while_held = lock.acquire(block=False)
    release.set()
    child.join()
    return while_held, lock.acquire(block=False)


def main():
    filled, zeroed = squares()
    while_held, after_release = try_lock()
    print(json.dumps({
        "locked": count(locked),
        "own_lock": count(own_lock),
        "unlocked_at_most_4000": 0 < count(unlocked) <= PROCESSES * INCREMENTS,
        "squares": filled,
        "zeroed": zeroed,
        "try_while_held": while_held,
        "try_after_release": after_release,
    }))


if __name__ == "__main__":
    main()
