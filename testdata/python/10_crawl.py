"""Kata 10, crawl: the same challenge with Python's multiprocessing.

Worker processes fetch pages from a real HTTP server on the loopback interface,
and collect the results in a manager's dict and list. Then a second crawl is
interrupted by SIGINT in the middle: the pages in flight come to their end, and
no other is begun.

Result: {"pages": {"/flaky": [200, 5, 3], "/meet/0": [200, 4, 1], "/meet/1": [200, 4, 1], "/meet/2": [200, 4, 1], "/missing": [404, 8, 1], "/page/0": [200, 7, 1], "/page/1": [200, 7, 1], "/page/2": [200, 7, 1]}, "host": {"pages": 8, "failed": 1, "bytes": 46}, "logged": 8, "at_once": 3, "interrupted": {"done": ["/held/0", "/held/1"], "left": ["/page/0", "/page/1", "/page/2"]}}
"""

import json
import multiprocessing as mp
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

RETRIES = 3


def serve(port, arrived, gate):
    """The server process: it sends its port, and serves until it is terminated."""
    lock, meeting = threading.Lock(), threading.Barrier(3)
    count = {"flaky": 0, "now": 0, "most": 0}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            with lock:
                count["now"] += 1
                count["most"] = max(count["most"], count["now"])
            try:
                status, body = self.page()
            finally:
                with lock:
                    count["now"] -= 1
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def page(self):
            kind = self.path.split("/")[1]
            if kind == "page":
                return 200, b"page %d\n" % int(self.path.split("/")[2])
            if kind == "meet":
                meeting.wait()
                return 200, b"met\n"
            if kind == "held":
                arrived.release()
                gate.wait()
                return 200, b"held\n"
            if kind == "flaky":
                with lock:
                    count["flaky"] += 1
                    if count["flaky"] < 3:
                        return 503, b"try again\n"
                return 200, b"well\n"
            if kind == "most":
                return 200, b"%d" % count["most"]
            return 404, b"missing\n"

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    port.send(server.server_address[1])
    server.serve_forever()


def get(url):
    """One request: its status and the size of its body."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, len(answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, len(answer.read())


def fetch(url):
    """One page: status, size and attempts."""
    attempts = 0
    while True:
        attempts += 1
        status, size = get(url)
        if status < 500 or attempts > RETRIES:
            return [status, size, attempts]


def work(tasks, done, pages, hosts, log, lock):
    """A worker process: pages and hosts and log are proxies."""
    # Ctrl-C reaches all processes of the group; this one is to finish its page.
    # Until here, what the parent has set protects it, where it was forked.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for url in iter(tasks.get, None):
        page = fetch(url)
        pages[url] = page
        name = urlsplit(url).netloc
        # Two calls of a proxy are not atomic: hence the lock. And host is a
        # copy: hence the write back.
        with lock:
            host = hosts.get(name, {"pages": 0, "failed": 0, "bytes": 0})
            host["pages"] += 1
            host["failed"] += page[0] >= 400
            host["bytes"] += page[1]
            hosts[name] = host
        log.append(url)
        done.put(url)


def crawl(n, urls, stopping):
    """Fetches every page once, by n processes, until stopping is set."""
    todo = list(dict.fromkeys(urls))
    # Forked children inherit that it is ignored. The parent takes it back.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with mp.Manager() as manager:
        pages, hosts, log, lock = manager.dict(), manager.dict(), manager.list(), manager.Lock()
        tasks, done = mp.SimpleQueue(), mp.SimpleQueue()
        workers = [mp.Process(target=work, args=(tasks, done, pages, hosts, log, lock)) for _ in range(n)]
        for w in workers:
            w.start()
        signal.signal(signal.SIGINT, lambda *_: stopping.set())
        busy = 0
        while busy or (todo and not stopping.is_set()):
            while busy < n and todo and not stopping.is_set():
                tasks.put(todo.pop(0))
                busy += 1
            if busy:
                # A worker that is killed never says so: this would wait for ever.
                done.get()
                busy -= 1
        for _ in workers:
            tasks.put(None)
        for w in workers:
            w.join()
        result = dict(pages), dict(hosts), list(log)
    # Here, at the end of the with, the manager has been shut down: the last of all.
    signal.signal(signal.SIGINT, before)
    return result + (todo,)


def main():
    arrived, gate = mp.Semaphore(0), mp.Event()
    ours, theirs = mp.Pipe(duplex=False)
    server = mp.Process(target=serve, args=(theirs, arrived, gate), daemon=True)
    server.start()
    root = "http://127.0.0.1:%d" % ours.recv()
    path = lambda url: url[len(root):]

    urls = [root + p for p in ("/meet/0", "/meet/1", "/meet/2", "/page/0", "/page/1", "/page/2", "/missing", "/flaky")]
    pages, hosts, log, _ = crawl(3, urls + urls, threading.Event())
    with urllib.request.urlopen(root + "/most") as answer:
        at_once = int(answer.read())

    stopping = threading.Event()

    def interrupt():
        for _ in range(2):
            arrived.acquire()
        os.kill(os.getpid(), signal.SIGINT)
        stopping.wait()
        gate.set()

    thread = threading.Thread(target=interrupt)
    thread.start()
    held = [root + p for p in ("/held/0", "/held/1", "/page/0", "/page/1", "/page/2")]
    some, _, _, left = crawl(2, held, stopping)
    thread.join()
    server.terminate()
    server.join()

    result = {
        "pages": {path(u): pages[u] for u in sorted(pages)},
        "host": hosts[urlsplit(root).netloc],
        "logged": len(log),
        "at_once": at_once,
        "interrupted": {"done": sorted(map(path, some)), "left": list(map(path, left))},
    }
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
