"""The shop of the demo: a web server, the program behind it, the database; one request after the other."""

from __future__ import annotations

from dataclasses import replace

from engine.events import FdKind
from tests.demo.scene import (
    APPEND,
    CLONE_THREAD,
    MS,
    NULL,
    US,
    WRONLY,
    Scene,
    Task,
    address,
    connected,
    facts,
    file,
    listening,
)
from tests.scapfile import Entry, sockaddr, socktuple

WEB_ID = "5e1c0a7f9b24d6837a1fe02c48d9b6530f7e2a91c4d8536be07fa21d9c3b4856"
APP_ID = "a93d42b17c6e05f8d1b2947ac05e83f6192d7b4ce8a0f5361d94b27c08e6f3a5"
WEB, APP, DATABASE, HOST = "172.18.0.2", "172.18.0.3", "172.18.0.1", "192.0.2.10"
WEB6 = "2001:db8:18::2"
PAGES = ("/", "/", "/cart", "/static/site.css", "/product/17", "/product/4", "/static/logo.svg", "/favicon.ico")
INET, INET6, STREAM = 2, 10, 1
SETTINGS = b"DATABASE_HOST = '172.18.0.1'\nDATABASE_PORT = %d\nDATABASE_NAME = 'shop'\nPOOL = 1\n"
EINPROGRESS, ECONNREFUSED, ENOENT, EACCES = 115, 111, 2, 13


class Shop:
    """The web server, the program behind it, the database; one visitor at a time for each worker."""

    def __init__(self, scene: Scene) -> None:
        present = scene.present
        present(facts(1, 0, "systemd", "/lib/systemd/systemd", "--system", vm_size=168_000), NULL)
        for pid, container in ((2050, WEB_ID), (2150, APP_ID)):
            present(facts(pid, 1, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", "-id", container), NULL)
        nginx = facts(2101, 2050, "nginx", "nginx: master process nginx", container=WEB_ID, vpid=1, vtid=1)
        web_fds = [*NULL, listening(6, address("0.0.0.0"), 80), listening(7, address("::"), 80)]
        present(nginx, web_fds)
        log = [
            file(3, "/var/log/nginx/access.log", WRONLY | APPEND),
            file(4, "/var/log/nginx/error.log", WRONLY | APPEND),
        ]
        poller = [Entry(8, FdKind.EVENTPOLL, b"anon_inode:[eventpoll]")]
        self.workers = []
        for number in (1, 2):
            worker = facts(2101 + number, 2101, "nginx", "nginx: worker process", container=WEB_ID, uid=101, gid=101)
            worker.vpid = worker.vtid = 6 + number
            self.workers.append(present(worker, [*web_fds, *log, *poller]))
        app = facts(2210, 2150, "gunicorn", "/usr/local/bin/python3.12", "-m", "gunicorn", "shop:app", container=APP_ID)
        app.cwd, app.vpid, app.vtid, app.uid, app.vm_size, app.vm_rss = b"/srv/app/", 1, 1, 1000, 310_000, 96_000
        link = connected(5, address(APP), 41_200, address(DATABASE), 5432)
        self.app = present(app, [*NULL, listening(4, address("0.0.0.0"), 8000), link])
        self.logger = present(replace(app, tid=2211, vtid=8, flags=CLONE_THREAD))
        postgres = facts(
            1830, 1, "postgres", "/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main"
        )
        postgres.uid = postgres.gid = 114
        tables = [file(6, "/var/lib/postgresql/15/main/base/16384/2619"), listening(5, address("0.0.0.0"), 5432)]
        self.postmaster = present(postgres, [*NULL, *tables])
        backend = facts(2230, 1830, "postgres", "postgres: shop shop 172.18.0.3(41200) idle", uid=114, gid=114)
        link = connected(9, address(APP), 41_200, address(DATABASE), 5432)
        self.backend = present(backend, [*NULL, tables[0], link])
        self.database: int | None = 5
        self.database_port = 5432
        self.local_port = 41_200
        self.upstream_port = 52_000

    def visit(self, number: int, at: int) -> None:
        """One request, from its connection to the line in the log."""
        nginx = self.workers[number % 2]
        nginx.wait(at)
        six = number % 5 == 3
        client, server = (f"2001:db8:7::{number % 4 + 2}", WEB6) if six else (f"203.0.113.{7 + number % 9}", WEB)
        page = PAGES[number * 5 % len(PAGES)]
        agent = b"Mozilla/5.0 (X11; Linux x86_64)" if number % 3 else b"curl/8.5.0"
        request = b"GET %s HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: %s\r\n\r\n" % (page.encode(), agent)
        nginx.call("epoll_wait", took=4 * US, maxevents=512, res=1)
        fd = nginx.new_fd()
        nginx.call("accept", took=5 * US, fd=fd, tuple=socktuple(client, 40_000 + number * 7, server, 80), queuemax=511)
        nginx.call("recvfrom", took=6 * US, fd=fd, size=1024, res=len(request), data=request)
        if page.startswith("/static/"):
            status, size = self._static(nginx, fd, f"/srv/www{page}")
        elif page == "/favicon.ico":
            nginx.open("/srv/www/favicon.ico", error=ENOENT)
            line = b'2024/05/17 08:15:20 [error] open() "/srv/www/favicon.ico" failed (2: No such file or directory)\n'
            nginx.write(4, line)
            status, size = 404, 146
            nginx.write(fd, b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\n\r\n<html>", 146 + 120)
        else:
            status, size = self._proxy(nginx, fd, request, number)
        nginx.write(3, f'{client} - "GET {page} HTTP/1.1" {status} {size} "{agent.decode()}"\n'.encode(), took=9 * US)
        nginx.close(fd)

    def _static(self, nginx: Task, fd: int, path: str) -> tuple[int, int]:
        size = 18_433 if path.endswith("css") else 6_120
        file = nginx.open(path)
        nginx.call("fstat", took=US, fd=file, res=0)
        nginx.write(fd, b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: %d\r\n\r\n" % size, 190)
        nginx.call("sendfile", took=38 * US, out_fd=fd, in_fd=file, size=size, res=size)
        nginx.close(file)
        return 200, size

    def _proxy(self, nginx: Task, fd: int, request: bytes, number: int) -> tuple[int, int]:
        self.upstream_port += 2
        link = socktuple(WEB, self.upstream_port, APP, 8000)
        upstream = nginx.new_fd()
        nginx.call("socket", domain=INET, type=STREAM, fd=upstream)
        target = sockaddr(APP, 8000)
        nginx.call("connect", took=30 * US, fd=upstream, addr=target, tuple=link, res=-EINPROGRESS)
        nginx.call("epoll_wait", took=70 * US, maxevents=512, res=1)
        nginx.write(upstream, request.replace(b"1.1", b"1.0"), took=14 * US)
        status, body = self._answer(link, nginx.now + 60 * US, request, number)
        nginx.wait(self.app.now + 40 * US)
        nginx.call("epoll_wait", took=4 * US, maxevents=512, res=2)
        nginx.call("recvfrom", took=8 * US, fd=upstream, size=4096, res=len(body), data=body)
        nginx.close(upstream)
        nginx.write(fd, body.replace(b"1.0", b"1.1"), took=15 * US)
        if status == 502:
            nginx.write(
                4, b'2024/05/17 08:15:24 [error] upstream answered 502 while reading response header, upstream: "app"\n'
            )
        return status, len(body)

    def _answer(self, link: bytes, at: int, request: bytes, number: int) -> tuple[int, bytes]:
        app = self.app
        app.wait(at)
        fd = app.new_fd()
        app.call("accept", took=7 * US, fd=fd, tuple=link, queuemax=2048)
        app.call("recvfrom", took=5 * US, fd=fd, size=8192, res=len(request), data=request)
        app.work(1500 * US + app.scene.jitter(2 * MS))
        if number % 6 == 0:
            app.open("/srv/app/templates/overrides/page.html", error=ENOENT)
            app.slurp("/srv/app/templates/page.html", b"<!doctype html><title>{{ title }}</title>", 5_411)
        if self.database is None:
            self._connect()
        if self.database is None:
            status, body = 502, b"HTTP/1.0 502 Bad Gateway\r\n\r\ncould not connect to server: Connection refused"
            app.write(2, b"psycopg2.OperationalError: connection to server at 172.18.0.1, port 5433 failed\n")
        else:
            self._query(number)
            status, body = (
                200,
                b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html>" + b"." * (900 + number * 9),
            )
        app.call("sendto", took=16 * US, fd=fd, size=len(body), res=len(body), data=body)
        app.close(fd)
        self.logger.wait(app.now)
        self.logger.call("futex", took=4 * US, addr=0x7F21C0, op=0, val=1, res=0)
        self.logger.write(1, b'%d "GET" %d bytes\n' % (status, len(body)))
        return status, body

    def _query(self, number: int) -> None:
        app, backend = self.app, self.backend
        assert self.database is not None
        query = b"Q\0\0\0\x47SELECT id, name, price FROM products WHERE id = %d" % (number % 40)
        app.call("sendto", took=12 * US, fd=self.database, size=len(query), res=len(query), data=query)
        backend.wait(app.now + 30 * US)
        backend.call("recvfrom", took=5 * US, fd=9, size=8192, res=len(query), data=query)
        backend.work(400 * US)
        slow = 45 * MS if number % 23 == 7 else 20 * US
        backend.call(
            "pread", took=slow, fd=6, size=8192, pos=8192 * (number % 300), res=8192, data=b"\0\0\0\x01products"
        )
        rows = b"T\0\0\0\x3dproducts" + b"D" * 300
        backend.call("sendto", took=11 * US, fd=9, size=len(rows), res=len(rows), data=rows)
        app.wait(backend.now + 20 * US)
        app.call("recvfrom", took=4 * US, fd=self.database, size=8192, res=len(rows), data=rows)

    def _connect(self) -> None:
        """The program's new connection to the port its settings name."""
        app = self.app
        self.local_port += 4
        link = socktuple(APP, self.local_port, DATABASE, self.database_port)
        fd = app.new_fd()
        app.call("socket", domain=INET, type=STREAM, fd=fd)
        refused = self.database_port != 5432
        result = -ECONNREFUSED if refused else 0
        target = sockaddr(DATABASE, self.database_port)
        app.call("connect", took=55 * US, fd=fd, addr=target, tuple=link, res=result)
        if refused:
            app.close(fd)
            return
        self.database = fd
        master = self.postmaster
        master.wait(app.now + 40 * US)
        number = master.new_fd()
        master.call("accept", took=6 * US, fd=number, tuple=link, queuemax=244)
        backend = master.fork(exe=f"postgres: shop shop 172.18.0.3({self.local_port}) idle".encode())
        master.close(number)
        # The other end of the connection has the number it was accepted under.
        backend.call("dup", fd=number, res=9)
        backend.close(number)
        self.backend.exit(parent=master)
        self.backend = backend

    def reload(self, sender: Task, port: int) -> None:
        """The program reads its settings again after a signal."""
        app = self.app
        app.wait(sender.now + 50 * US)
        app.emit(232, {"spid": sender.facts.tid, "dpid": app.facts.tid, "sig": 1})
        app.slurp("/srv/app/settings.py", SETTINGS % port)
        if self.database is not None:
            app.close(self.database)
        self.database, self.database_port = None, port
