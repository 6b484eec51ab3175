"""Two-way communication with Python's multiprocessing, as kata 5 does it in Go.

A child answers each message with its bytes in reverse, up to the end of the stream.
The parent sends all messages before it receives the first answer.

Result: {"answers": ["olleh", "", "a", "egassem\\nenil owt"], "lengths": [5, 0, 1, 16],
         "long": 65537, "long_intact": true, "end_of_stream": true, "exit": 0,
         "closed_is_error": true}
"""

import json
import multiprocessing as mp

MESSAGES = [b"hello", b"", b"a", b"two line\nmessage"]
LONG = bytes(i % 251 for i in range(65537))


def reverse(conn):
    """Answers until the other side closes."""
    while True:
        try:
            message = conn.recv_bytes()
        except EOFError:
            conn.close()
            return
        conn.send_bytes(message[::-1])


def start(target):
    """Starts a child with one end of a pipe, and returns it with the other end."""
    ours, theirs = mp.Pipe()
    child = mp.Process(target=run, args=(target, ours, theirs))
    child.start()
    theirs.close()  # or else the stream would never end for us
    return child, ours


def run(target, parents, own):
    parents.close()  # with fork, the child got a copy of the parent's end too
    target(own)


def burst(conn):
    """Sends one message and is gone."""
    conn.send_bytes(b"last words")


def end_of_stream():
    child, conn = start(burst)
    child.join()
    words = conn.recv_bytes()
    try:
        conn.recv_bytes()
        return False
    except EOFError:
        return words == b"last words"
    finally:
        conn.close()


def main():
    child, conn = start(reverse)
    for message in MESSAGES:
        conn.send_bytes(message)
    answers = [conn.recv_bytes() for _ in MESSAGES]
    conn.send_bytes(LONG)  # alone: two such at one time would wait for each other
    answer = conn.recv_bytes()
    conn.close()
    child.join()
    try:
        conn.send_bytes(b"too late")
        closed_is_error = False
    except OSError:
        closed_is_error = True
    print(json.dumps({
        "answers": [a.decode() for a in answers],
        "lengths": [len(a) for a in answers],
        "long": len(answer),
        "long_intact": answer == LONG[::-1],
        "end_of_stream": end_of_stream(),
        "exit": child.exitcode,
        "closed_is_error": closed_is_error,
    }))


if __name__ == "__main__":
    main()
