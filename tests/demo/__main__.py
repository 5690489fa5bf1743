"""Write the capture that ships with the program: twenty seconds of a machine on which someone breaks a web shop.

    python -m tests.demo [OUT]

The story: nginx in the container `web` hands requests to a Python program in the container `app`, which asks
postgres on the host. Cron starts a backup. Someone logs in by ssh, looks around, changes the database port in the
settings and tells the program to read them again: connections are refused, visitors get 502, until the change is
taken back. Every run writes the same bytes.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from engine.model.facts import Group, Interface, User
from tests.demo.scene import (
    CREAT,
    DIRECTORY,
    MS,
    NULL,
    RDONLY,
    RDWR,
    SECOND,
    TRUNC,
    US,
    WRONLY,
    Scene,
    Task,
    address,
    facts,
    listening,
)
from tests.demo.shop import (
    APP,
    APP_ID,
    DATABASE,
    EACCES,
    ENOENT,
    HOST,
    INET6,
    SETTINGS,
    STREAM,
    WEB,
    WEB6,
    WEB_ID,
    Shop,
)
from tests.scapfile import sockaddr, socktuple

OUT = Path(__file__).resolve().parent.parent.parent / "tui" / "demo.scap.gz"
START = 1_715_933_712_000_000_000
"""2024-05-17 08:15:12 UTC."""
LENGTH = 20 * SECOND
BROKEN, MENDED = 11 * SECOND, int(16.5 * SECOND)


def cron(scene: Scene) -> None:
    """The nightly backup, in the morning."""
    daemon = scene.present(facts(540, 1, "cron", "/usr/sbin/cron", "-f"), NULL)
    daemon.wait(3 * SECOND)
    daemon.slurp("/etc/crontab", b"15 8 * * * root /usr/local/bin/backup.sh\n", 1136)
    shell = daemon.run("/bin/sh", "/bin/sh", "-c", "/usr/local/bin/backup.sh")
    shell.slurp("/usr/local/bin/backup.sh", b"#!/bin/sh\ntar -C /srv -cf - app www | gzip > /var/backups/shop.tar.gz\n")
    pipe = (shell.new_fd(), shell.new_fd())
    shell.call("pipe", res=0, fd1=pipe[0], fd2=pipe[1], ino=88_412)
    tar = shell.run("/usr/bin/tar", "tar", "-C", "/srv", "-cf", "-", "app", "www")
    packer = shell.run("/usr/bin/gzip", "gzip")
    out = packer.open("/var/backups/shop.tar.gz", WRONLY | CREAT | TRUNC)
    for number in range(60):
        folder = ("app", "www/static", "www/media")[number % 3]
        amount = 40_000 + number * 911
        tar.work(3 * MS)
        tar.slurp(f"/srv/{folder}/item{number:02}.dat", b"payload of item %d" % number, amount)
        tar.write(pipe[1], b"srv/item", amount)
        packer.wait(tar.now)
        packer.read(pipe[0], b"srv/item", amount)
        packer.work(22 * MS)
        packer.write(out, b"\x1f\x8b\x08", amount * 2 // 3, took=60 * US)
        tar.wait(packer.now - 10 * MS)
    tar.exit(parent=shell)
    packer.close(out)
    packer.exit(parent=shell)
    shell.exit(parent=daemon)


class Visitor:
    """Someone who logs in by ssh and works in a shell."""

    def __init__(self, scene: Scene) -> None:
        daemon = scene.present(
            facts(612, 1, "sshd", "sshd: /usr/sbin/sshd -D [listener]"),
            [*NULL, listening(3, address("0.0.0.0"), 22), listening(4, address("::"), 22)],
        )
        daemon.wait(int(5.2 * SECOND))
        fd = daemon.new_fd()
        link = socktuple("198.51.100.23", 50_122, HOST, 22)
        daemon.call("accept", took=8 * US, fd=fd, tuple=link, queuemax=128)
        session = daemon.fork(exe=b"sshd: deploy [priv]")
        daemon.close(fd)
        session.write(fd, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        session.read(fd, b"SSH-2.0-OpenSSH_9.6\r\n", took=21 * MS)
        session.slurp("/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n", 1712)
        session.slurp("/etc/shadow", b"root:*:19700:0:99999:7:::\n", 944)
        session.slurp("/home/deploy/.ssh/authorized_keys", b"ssh-ed25519 AAAAC3Nza deploy@laptop\n")
        session.work(30 * MS)
        session.slurp("/etc/motd", b"Welcome to gate\n", 286)
        shell = session.fork(loginuid=1001, tty=34_816)
        shell.call("setgid", gid=1001, res=0)
        shell.call("setuid", uid=1001, res=0)
        shell.facts.uid = shell.facts.gid = 1001
        shell.call("chdir", path="/home/deploy", res=0)
        shell.facts.cwd = b"/home/deploy/"
        shell.execute("/bin/bash", "-bash")
        shell.slurp("/etc/profile", b"# /etc/profile\n", 769)
        shell.slurp("/home/deploy/.bashrc", b"export EDITOR=vi\n", 3526)
        shell.open("/home/deploy/.bash_login", error=ENOENT)
        self.shell, self.session, self.fd = shell, session, fd

    def type(self, at: int, path: str, *argv: str) -> Task:
        """A command line, typed and started."""
        line = " ".join(argv).encode() + b"\n"
        self.session.wait(at)
        self.session.read(self.fd, b"\x8f\x11" + line, 48 + len(line))
        self.shell.wait(self.session.now)
        self.shell.read(0, line)
        return self.shell.run(path, *argv)

    def done(self, task: Task, output: bytes = b"", status: int = 0) -> None:
        """The command prints and ends; the prompt is back."""
        if output:
            task.write(1, output)
        task.exit(status, parent=self.shell)
        self.shell.write(2, b"deploy@gate:~$ ")
        self.session.wait(self.shell.now)
        self.session.write(self.fd, b"\x02\xc4", 64 + len(output))

    def cat(self, at: int, path: str, text: bytes, error: int = 0) -> None:
        """Look at a file."""
        task = self.type(at, "/usr/bin/cat", "cat", path)
        if error:
            task.open(path, error=error)
            task.write(2, f"cat: {path}: Permission denied\n".encode())
        else:
            task.slurp(path, text)
        self.done(task, b"" if error else text, 1 if error else 0)

    def change(self, at: int, shop: Shop, old: int, new: int) -> None:
        """Change the port in the settings and have them read."""
        path = "/srv/app/settings.py"
        task = self.type(at, "/usr/bin/sed", "sed", "-i", f"s/{old}/{new}/", path)
        task.slurp(path, SETTINGS % old)
        fd = task.open("/srv/app/sedKq81Zt", RDWR | CREAT)
        task.write(fd, SETTINGS % new)
        task.close(fd)
        task.call("rename", oldpath="/srv/app/sedKq81Zt", newpath=path, res=0)
        self.done(task)
        task = self.type(at + 700 * MS, "/usr/bin/pkill", "pkill", "-HUP", "gunicorn")
        for pid in (1, 540, 612, 1830, 2101, 2210):
            task.slurp(f"/proc/{pid}/status", b"Name:\t", 1400)
        task.call("kill", took=9 * US, pid=2210, sig=1, res=0)
        shop.reload(task, new)
        self.done(task)


def visit(scene: Scene, visitor: Visitor, shop: Shop) -> None:
    """What the visitor does, and what the shop's own visitors do meanwhile."""
    requests = [(120 * MS + number * 195 * MS + scene.jitter(70 * MS), number) for number in range(100)]

    def serve(until: int) -> None:
        while requests and requests[0][0] < until:
            at, number = requests.pop(0)
            shop.visit(number, at)

    ls = visitor.type(int(6.4 * SECOND), "/usr/bin/ls", "ls", "-la", "/srv/app")
    folder = ls.open("/srv/app", RDONLY | DIRECTORY)
    ls.call("getdents64", took=14 * US, fd=folder, res=264)
    ls.close(folder)
    visitor.done(ls, b"total 20\n-rw-r--r-- 1 deploy deploy 94 settings.py\n")
    visitor.cat(int(7.9 * SECOND), "/srv/app/settings.py", SETTINGS % 5432)
    visitor.cat(int(9.1 * SECOND), "/etc/shadow", b"", EACCES)
    serve(BROKEN)
    visitor.change(BROKEN, shop, 5432, 5433)
    serve(int(13.5 * SECOND))
    curl = visitor.type(int(13.5 * SECOND), "/usr/bin/curl", "curl", "-sI", "http://[2001:db8:18::2]/cart")
    curl.open("/home/deploy/.curlrc", error=ENOENT)
    fd = curl.new_fd()
    curl.call("socket", domain=INET6, type=STREAM, fd=fd)
    link = socktuple("2001:db8::10", 44_310, WEB6, 80)
    curl.call("connect", took=80 * US, fd=fd, addr=sockaddr(WEB6, 80), tuple=link, res=0)
    head = b"HEAD /cart HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    curl.call("sendto", took=15 * US, fd=fd, size=len(head), res=len(head), data=head)
    curl.call(
        "recvfrom", took=4 * MS, fd=fd, size=102_400, res=62, data=b"HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\n\r\n"
    )
    curl.close(fd)
    visitor.done(curl, b"HTTP/1.1 502 Bad Gateway\r\n", 22)
    tail = visitor.type(int(14.9 * SECOND), "/usr/bin/tail", "tail", "-n", "3", "/var/log/nginx/error.log")
    tail.slurp("/var/log/nginx/error.log", b"[error] upstream answered 502", 12_288)
    visitor.done(tail, b"[error] upstream answered 502\n")
    serve(MENDED)
    visitor.change(MENDED, shop, 5433, 5432)
    serve(LENGTH)
    visitor.type(int(18.4 * SECOND), "/usr/bin/tail", "tail", "-f", "/var/log/nginx/access.log")


def make() -> bytes:
    """The capture, not compressed."""
    scene = Scene(START, LENGTH, cpus=4)
    for title, identity, image, ip in (("web", WEB_ID, "nginx:1.25", WEB), ("app", APP_ID, "shop/app:4.2", APP)):
        told = {"id": identity[:12], "full_id": identity, "type": 0, "name": title, "image": image, "ip": ip}
        repository, _, tag = image.partition(":")
        told |= {"imagerepo": repository, "imagetag": tag, "imageid": identity[::-1], "privileged": False, "Mounts": []}
        scene.container(told | {"labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": title}})
    shop = Shop(scene)
    cron(scene)
    visit(scene, Visitor(scene), shop)
    people: list[User | Group] = [User(0, 0, b"root", b"/root", b"/bin/bash"), Group(0, b"root")]
    accounts: tuple[tuple[int, bytes, bytes], ...] = (
        (101, b"nginx", b"/nonexistent"),
        (1000, b"shop", b"/srv/app"),
        (114, b"postgres", b"/var/lib/postgresql"),
        (1001, b"deploy", b"/home/deploy"),
    )
    for number, name, home in accounts:
        people += [User(number, number, name, home, b"/bin/bash"), Group(number, name)]
    net = [
        Interface(b"lo", address("127.0.0.1"), address("255.0.0.0"), bytes(4), 0),
        Interface(b"eth0", address(HOST), address("255.255.255.0"), address("192.0.2.255"), 10_000),
        Interface(b"br-shop", address(DATABASE), address("255.255.0.0"), address("172.18.255.255"), 0),
        Interface(b"eth0", address("2001:db8::10"), address("ffff:ffff::"), bytes(16), 10_000),
    ]
    return scene.capture(people, net, b"gate", 8 << 30)


def main() -> None:
    """Command line, see the module's text."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.write_bytes(gzip.compress(make(), mtime=0))


if __name__ == "__main__":
    main()
