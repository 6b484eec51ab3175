"""Kata 1, process creation, with Python's multiprocessing.

Three children each print their process ID and a message; the parent joins them all.

Result: {"messages": ["Ada was here", "Grace was here", "Barbara was here"],
         "distinct_pids": 3, "children_of_this_process": true, "exit_codes": [0, 0, 0],
         "failing_exit_codes": [0, 8, -9]}
"""

import json
import multiprocessing
import os
import signal
import sys


def hello(message, told):
    # One write for the whole line: print() makes two, for the text and for the newline,
    # and another process may come in between.
    sys.stdout.write(f"{os.getpid()} {json.dumps(message)}\n")
    sys.stdout.flush()
    told.put((os.getpid(), os.getppid(), message))


def leave(code):
    sys.exit(code)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    messages = ["Ada was here", "Grace was here", "Barbara was here"]
    told = multiprocessing.SimpleQueue()
    children = [multiprocessing.Process(target=hello, args=(m, told)) for m in messages]
    for child in children:
        child.start()
    heard = [told.get() for _ in children]
    for child in children:
        child.join()

    failing = [
        multiprocessing.Process(target=leave, args=(0,)),
        multiprocessing.Process(target=leave, args=(8,)),
        multiprocessing.Process(target=die),
    ]
    for child in failing:
        child.start()
    for child in failing:
        child.join()

    by_pid = {pid: message for pid, _, message in heard}
    print(
        json.dumps(
            {
                "messages": [by_pid[child.pid] for child in children],
                "distinct_pids": len(by_pid),
                "children_of_this_process": all(parent == os.getpid() for _, parent, _ in heard),
                "exit_codes": [child.exitcode for child in children],
                "failing_exit_codes": [child.exitcode for child in failing],
            }
        )
    )


if __name__ == "__main__":
    main()
