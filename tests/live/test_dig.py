"""`tui dig` on the running kernel: the steps of a hunt as they are typed with sysdig, and chisels."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SECONDS = 20


@contextlib.contextmanager
def digging(*words: str) -> Iterator[subprocess.Popen[str]]:
    """`tui dig` at work, attached by the time the block runs."""
    command = [sys.executable, "-m", "tui.cli", "dig", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(1)
        try:
            yield process
        finally:
            process.kill()


def repeat(process: subprocess.Popen[str], action: Callable[[], object], pause: float = 0.3) -> None:
    """Do something again and again until the program has seen enough of it."""
    for _ in range(int(SECONDS / pause)):
        if process.poll() is not None:
            return
        action()
        time.sleep(pause)


def run(*words: str) -> Callable[[], object]:
    return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=SECONDS)


def said(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    return out


def program(folder: Path, name: str, text: str) -> Callable[[], object]:
    """Runs a program of that name."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return run(str(path))


def test_a_capture_of_five_seconds_is_narrowed_step_by_step(tmp_path: Path) -> None:
    waits = "import ctypes, select\npolled = select.epoll()\nroom = ctypes.create_string_buffer(12)\n"
    waits += "for _ in range(5): ctypes.CDLL(None).epoll_pwait(polled.fileno(), room, 1, 10, None)\n"
    server = program(tmp_path, "kube-apiserver", waits)
    probe = "import socket\nsocket.socket(2, 2).sendto(b'who are you', ('127.0.0.8', 31337))\n"
    scanner = program(tmp_path, "nmap", probe)
    path = str(tmp_path / "cap.scap")
    with subprocess.Popen(["timeout", "5", sys.executable, "-m", "tui.cli", "dig", "-w", path], stdout=-1) as writing:
        for _ in range(8):
            time.sleep(0.4)
            server()
            scanner()
        assert writing.communicate(timeout=SECONDS)[0] == b""

    def read(*words: str) -> str:
        with digging("-r", path, *words) as process:
            return said(process)

    lines = read("evt.type=epoll_pwait and proc.name=kube-apiserver").splitlines()
    assert len(lines) >= 2 * 5 and all(" kube-apiserver (" in line and " epoll_pwait " in line for line in lines)
    sent = ("proc.name=nmap", "and", "evt.type=sendto", "and", "fd.sip=127.0.0.8")
    assert all("->127.0.0.8:31337" in line for line in read(*sent, "and", "evt.dir=<").splitlines())
    assert "\t0x0000: 7768 6f20 6172 6520 796f 75              who are you\n" in read(*sent, "--print-hex-ascii")
    summary = read("proc.name=nmap", "--summary", "-q").splitlines()
    assert summary[1] == "Event           #Calls" and any(line.startswith("< sendto  ") for line in summary)


def test_packets_to_an_address_are_found_by_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        name = Path(sys.executable).name
        words = f"proc.name={name} and evt.type=sendto and fd.sip=127.0.0.1 and fd.sport={port}"
        with digging("-n", "1", *words.split(" "), "--print-hex-ascii") as process:
            send = f"import socket; socket.socket(2, 2).sendto(b'probe of a port', ('127.0.0.1', {port}))"
            repeat(process, run(sys.executable, "-c", send))
            out = said(process)
    assert f"->127.0.0.1:{port}" in out
    assert "7072 6f62 65" in out and "probe of a port" in out


def test_what_a_download_writes_is_piped_to_grep(tmp_path: Path) -> None:
    if shutil.which("wget") is None and shutil.which("curl") is None:
        pytest.skip("needs wget or curl")

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"the page with api.example.com in it"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    fetcher = "wget" if shutil.which("wget") else "curl"
    fetch = ["wget", "-q", "-O", str(tmp_path / "page"), url]
    if fetcher == "curl":
        fetch = ["curl", "-s", "-o", str(tmp_path / "page"), url]
    words = f"proc.name={fetcher} and evt.type=write"
    with digging("-M", "5", "-s", "2000", words) as process:
        grep = subprocess.Popen(["grep", "-a", "api.example.com"], stdin=process.stdout, stdout=-1, text=True)
        repeat(process, run(*fetch))
        found, _ = grep.communicate(timeout=SECONDS)
    server.shutdown()
    assert "api.example.com" in found


def test_a_text_is_found_in_what_is_written() -> None:
    with digging("-n", "1", "evt.buffer contains helloworld and evt.type=write") as process:
        repeat(process, run("sh", "-c", "echo helloworld from here > /dev/null"))
        out = said(process)
    assert "sh (" in out and "helloworld from here" in out


def test_a_format_prints_one_argument() -> None:
    with digging("-n", "1", "-p%evt.arg.name", "proc.name=cat", "and", "evt.arg.name=/etc/hostname") as process:
        repeat(process, run("cat", "/etc/hostname"))
        assert said(process) == "/etc/hostname\n"


def test_a_top_chisel_prints_every_second(tmp_path: Path) -> None:
    file = tmp_path / "written"
    with digging("-c", "topfiles_bytes", "-M", "4", "proc.name=dd") as process:
        repeat(process, run("dd", "if=/dev/zero", f"of={file}", "bs=4096", "count=64", "status=none"), 0.9)
        out = said(process)
    assert out.count("Bytes               Filename") >= 3
    assert "256.00KB" in out
    assert str(file) in out


def test_open_sockets_are_listed() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with digging("-c", "netstat.lua") as process:
            out = said(process)
    lines = [line for line in out.splitlines() if f"127.0.0.1:{port} " in line]
    assert any(line.startswith("tcp") and "LISTEN" in line and f"/{os.getpid()}/" in line for line in lines)


@pytest.mark.parametrize("chisel", ["ps", "lsof", "lscontainers"])
def test_what_there_is_is_listed_at_once(chisel: str) -> None:
    with subprocess.Popen(["sleep", "30"]) as asleep:
        try:
            with digging("-c", chisel) as process:
                out = said(process)
        finally:
            asleep.kill()
    assert chisel == "lscontainers" or any(str(asleep.pid) in line.split() for line in out.splitlines())


def test_only_processes_that_the_filter_keeps_are_written_along(tmp_path: Path) -> None:
    path = tmp_path / "private.scap"
    with subprocess.Popen(["sleep", "30"]) as asleep:
        try:
            with digging("-w", str(path), "-M", "2", "--filter-proclist", f"proc.pid={os.getpid()}") as process:
                repeat(process, os.getppid)
                said(process)
        finally:
            asleep.kill()
    with digging("-r", str(path), "-c", "ps") as process:
        listed = {line.split()[1] for line in said(process).splitlines()[1:]}
    assert listed == {str(os.getpid())}


def test_events_of_processes_to_be_ignored_are_not_there() -> None:
    with digging("-M", "3", "-U", "cat", "-p%proc.name", "evt.type=execve and proc.name in (cat, head)") as process:
        repeat(process, lambda: [run(name, "/etc/hostname")() for name in ("cat", "head")])
        assert set(said(process).split()) == {"head"}


def test_every_file_but_the_last_has_as_many_events_as_asked_for(tmp_path: Path) -> None:
    with digging("-M", "3", "-w", str(tmp_path / "part"), "-e", "300") as process:
        repeat(process, run("ls", "-lR", "/etc/ssl"))
        assert said(process) == ""
    assert len(list(tmp_path.iterdir())) > 3
    for number in range(3):
        # Each call is written as an enter and an exit; of what is no call there is one.
        words = ("-r", str(tmp_path / f"part{number}"), "-p%evt.dir", "evt.dir=< or not syscall.type exists")
        with digging("-D", *words) as process:
            told = said(process).split()
        # Samples of CPU time, taken every second, come on top.
        assert told.count("<") <= 300 <= len(told)


def test_events_of_the_command_itself_are_not_among_them() -> None:
    with digging("-M", "2", "-p%proc.cmdline", f"proc.cmdline contains mark-{os.getpid()}") as process:
        assert said(process) == ""


def test_ctrl_c_ends_it_in_order() -> None:
    with digging("-S", "-q") as process:
        time.sleep(2)
        process.send_signal(2)
        assert "#Calls" in said(process)
