"""Servers and their clients, recorded as services.scap.gz: the README beside it says how."""

import contextlib
import ctypes
import os
import select
import socket
import threading
import time

os.makedirs("run/dev", exist_ok=True)
LOG = "run/dev/log"
LIBC = ctypes.CDLL(None)
OPEN = 2
"""Number of open, in whose place today's programs call openat."""


def serve(family: int, host: str, port: int, answers: dict[bytes, bytes], clients: int) -> threading.Thread:
    """Answer each client once."""
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host, port))
    server.listen(4)

    def work() -> None:
        for _ in range(clients):
            other, _ = server.accept()
            asked = other.recv(2000)
            other.sendall(next(answer for start, answer in answers.items() if asked.startswith(start)))
            other.close()
        server.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def ask(family: int, host: str, port: int, words: bytes) -> bytes:
    """One connection."""
    client = socket.socket(family, socket.SOCK_STREAM)
    client.connect((host, port))
    client.sendall(words)
    answer = client.recv(2000)
    client.close()
    return answer


def http(status: bytes, body: bytes) -> bytes:
    """An answer."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def web() -> None:
    """HTTP over both families."""
    pages = {
        b"GET /slow": http(b"200 OK", b"waited for"),
        b"GET /none": http(b"404 Not Found", b""),
        b"GET /": http(b"200 OK", b"a page " * 20),
        b"POST /": http(b"500 Internal Server Error", b"sorry"),
    }
    asked = (b"GET / HTTP/1.1", b"GET /none HTTP/1.1", b"GET / HTTP/1.1", b"POST /form HTTP/1.1", b"GET /slow HTTP/1.1")
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        server = serve(family, host, 8091, pages, len(asked))
        for line in asked:
            ask(family, host, 8091, line + b"\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")
        server.join()


def cache() -> None:
    """memcached's words."""
    answers = {b"get": b"VALUE user:1 0 5\r\nhello\r\nEND\r\n", b"set": b"STORED\r\n"}
    server = serve(socket.AF_INET, "127.0.0.1", 11211, answers, 3)
    for words in (b"set user:1 0 60 5\r\nhello\r\n", b"get user:1\r\n", b"set user:2 0 60 1500\r\n" + b"x" * 1500):
        ask(socket.AF_INET, "127.0.0.1", 11211, words)
    server.join()


def queued() -> None:
    """Clients that wait for a server to take them by the call of old, accept."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(8)
    clients = [socket.create_connection(server.getsockname()) for _ in range(5)]
    for _ in clients:
        os.close(LIBC.accept(server.fileno(), None, None))
    for client in clients:
        client.close()
    server.close()


def datagrams() -> None:
    """UDP, and the system log's socket."""
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(LOG)
    for text in (
        b"<38>sshd[10]: Accepted publickey for root",
        b"<78>CRON[11]: CMD (backup)",
        b"<3>disk on fire",
    ):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        told.connect(LOG)
        told.send(text)
        told.close()
        log.recv(2000)
    log.close()
    os.unlink(LOG)
    one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    two.bind(("127.0.0.1", 5999))
    one.connect(("127.0.0.1", 5999))
    for number in range(3):
        one.send(b"datagram %d" % number)
        two.recv(100)
    one.close()
    two.close()


def opened() -> None:
    """Files by the call of old."""
    for path in (b"/etc/hosts", b"/etc/passwd", b"/etc/hosts", b"/no/such/file", b"/etc/"):
        fd = LIBC.syscall(OPEN, path, os.O_RDONLY)
        if fd >= 0:
            os.close(fd)


def refused() -> None:
    """Connections nobody wants."""
    for port in (1, 2):
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def waits() -> None:
    """Calls that take their time."""
    read, write = os.pipe()
    select.select([read], [], [], 0.02)
    poll = select.poll()
    poll.register(read)
    poll.poll(15)
    threading.Timer(0.03, os.write, (write, b"late")).start()
    os.read(read, 10)


for part in (web, cache, queued, datagrams, opened, refused, waits):
    part()
    time.sleep(0.25)
