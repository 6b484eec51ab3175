"""Producer and consumers with Python's multiprocessing, as kata 4 does it in Go.

One producer puts the numbers from 1 to 100 into a queue of 8; three consumer
processes take them and square them; each number is taken once. Then the queue is
filled to its bound, and emptied.

Result: {"items": 100, "once": true, "sum": 5050, "squares": 338350, "consumers": 3,
         "in_order": true, "full_at": 8, "empty_at_end": true}
"""

import json
import multiprocessing as mp
import queue

ITEMS, CONSUMERS, CAPACITY = 100, 3, 8
CLOSED = None  # there is no close: one marker for each consumer


def consume(tasks, results, started):
    """Squares what it takes, and reports it in the end."""
    started.wait()  # all consumers are there before the first item is
    took = []
    while (n := tasks.get()) is not CLOSED:
        took.append(n)
        tasks.task_done()
    tasks.task_done()
    results.put((took, [n * n for n in took]))


def full_at(capacity):
    """Puts without waiting until the queue is full, then takes everything."""
    q = mp.Queue(capacity)
    n = 0
    try:
        while n <= capacity:
            q.put_nowait(n)
            n += 1
    except queue.Full:
        pass
    for _ in range(n):
        q.get()  # waits: the feeder thread may still be at it
    empty = q.empty()
    q.close()
    q.join_thread()
    return n, empty


def main():
    tasks, results = mp.JoinableQueue(CAPACITY), mp.Queue()
    started = mp.Barrier(CONSUMERS)
    consumers = [mp.Process(target=consume, args=(tasks, results, started)) for _ in range(CONSUMERS)]
    for c in consumers:
        c.start()
    for n in range(1, ITEMS + 1):
        tasks.put(n)
    for _ in consumers:
        tasks.put(CLOSED)
    tasks.join()
    # The results are read before the consumers are joined: a process does not end
    # while its feeder thread holds items that nobody has taken from the pipe.
    reports = [results.get() for _ in consumers]
    for c in consumers:
        c.join()

    took = [n for numbers, _ in reports for n in numbers]
    squares = [s for _, numbers in reports for s in numbers]
    bound, empty = full_at(CAPACITY)
    print(json.dumps({
        "items": len(took),
        "once": sorted(took) == list(range(1, ITEMS + 1)),
        "sum": sum(took),
        "squares": sum(squares),
        "consumers": len(reports),
        "in_order": all(numbers == sorted(numbers) for numbers, _ in reports),
        "full_at": bound,
        "empty_at_end": empty,
    }))


if __name__ == "__main__":
    main()
