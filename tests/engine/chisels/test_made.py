"""Chisels that no shared capture gives rows to, or that do not print, on captures made here."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from engine.chisels.chisel import Settings
from engine.chisels.library import load
from engine.decode.decoder import Decoder
from engine.events import L4_NAMES, FdKind
from engine.model.facts import Role, Socket, Thread
from engine.sources import open_capture
from engine.store.store import Store
from tests.scapfile import Entry, event, fd_list, machine, pack, process_list, section
from tests.views.made import MADE

START = 1_700_000_000_000_000_000
MS = 1_000_000
WRITE, READ, EXECVE, PROCINFO = 9, 7, 293, 234
UDP = next(number for number, name in L4_NAMES.items() if name == "udp")


def made(*events: bytes, fds: tuple[Entry, ...] = (), comm: bytes = b"app", env: tuple[bytes, ...] = ()) -> bytes:
    """A capture of one process with descriptors."""
    process = Thread(tid=10, pid=10, ptid=1, comm=comm, exe=comm, env=env, cwd=b"/", uid=0, gid=0, vtid=10, vpid=10)
    init = Thread(tid=1, pid=1, ptid=0, comm=b"bash", exe=b"bash", cwd=b"/", vtid=1, vpid=1)
    return section() + machine() + process_list(9, [init, process]) + fd_list(10, list(fds)) + b"".join(events)


def moved(code: int, at: int, fd: int, data: bytes) -> bytes:
    return event(code, 10, START + at * MS, pack(code, res=len(data), data=data, fd=fd, size=len(data)))


def run(folder: Path, capture: bytes, name: str, **settings: Any) -> str:
    """What a chisel prints of a capture."""
    path = folder / "made.scap"
    path.write_bytes(capture)
    out: list[str] = []
    chisel = load().chisels[name](Settings(captures=(str(path),), write=out.append, **settings))
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    decoder.seal()
    for segment in store.segments:
        chisel.take(store, segment, segment.flags == 0)
    chisel.end()
    source.close()
    return "".join(out)


def test_spy_syslog_tells_facility_severity_and_process(tmp_path: Path) -> None:
    out = run(tmp_path, MADE["syslog"](), "spy_syslog").splitlines()
    assert out[0] == "auth.info sshd[10] sshd[10]: Accepted publickey for root"
    assert out[2] == "kern.err cron[11] kernel: disk on fire"


def test_spy_logs_tells_each_line_and_saves_what_was_around(tmp_path: Path) -> None:
    log = Entry(3, FdKind.FILE_V2, b"/var/log/app.log")
    other = Entry(4, FdKind.FILE_V2, b"/tmp/x")
    capture = made(
        moved(WRITE, 0, 4, b"long before"),
        moved(WRITE, 5000, 4, b"before"),
        moved(WRITE, 5001, 3, b"one\nWarning: two\n"),
        moved(WRITE, 5002, 4, b"after"),
        moved(WRITE, 9000, 4, b"long after"),
        fds=(log, other),
    )
    target = tmp_path / "around.scap"
    out = run(tmp_path, capture, "spy_logs", arguments={"dump_file_name": str(target), "dump_range_ms": "10"})
    assert out.splitlines()[:2] == ["app /var/log/app.log one", "app /var/log/app.log Warning: two"]
    again = run(tmp_path, target.read_bytes(), "stdout")
    assert again == ""
    assert run(tmp_path, target.read_bytes(), "iobytes_file")[-1:] in ("", "\n")
    assert "before" in run(tmp_path, target.read_bytes(), "echo_fds")
    assert "long" not in run(tmp_path, target.read_bytes(), "echo_fds")


def test_around_saves_what_its_filter_finds(tmp_path: Path) -> None:
    capture = made(
        *(moved(WRITE, at, 3, b"%d ms" % at) for at in (0, 100, 5000)), fds=(Entry(3, FdKind.FILE_V2, b"/tmp/x"),)
    )
    target = tmp_path / "around.scap"
    given = {"dump_file_name": str(target), "dump_range_ms": "150"}
    out = run(tmp_path, capture, "around", arguments=given, filter="evt.num=1")
    assert len(out.splitlines()) == 4 and " app(10)" in out
    assert target.exists()


def test_memcachelog_tells_commands(tmp_path: Path) -> None:
    connection = Socket(bytes((127, 0, 0, 1)), 40000, bytes((127, 0, 0, 1)), 11211, 6, Role.CLIENT)
    capture = made(
        moved(READ, 0, 3, b"get user:1\r\n"),
        moved(READ, 1, 3, b"set user:2 0 60 1500\r\nvalue"),
        moved(READ, 2, 3, b"set user:3 0 60 10\r\nvalue"),
        moved(READ, 3, 3, b"VALUE user:1 0 5\r\n"),
        fds=(Entry(3, FdKind.IPV4, socket=connection),),
        comm=b"memcached",
    )
    lines = run(tmp_path, capture, "memcachelog").splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == [
        "method=get size=0B key=user:1",
        "method=set size=1500B key=user:2",
        "method=set size=10B key=user:3",
    ]
    assert "user:3" not in run(tmp_path, capture, "memcachelog", arguments={"method": "set", "size": "1000"})


def test_shellshock_detect_tells_the_hidden_command(tmp_path: Path) -> None:
    values = {"exe": "bash", "args": b"-c\0id\0", "tid": 10, "pid": 10, "ptid": 1, "comm": "bash"}
    attack = b"PATH=/bin\0HTTP_AGENT=() { :;}; /bin/id > /tmp/x\0"
    capture = made(event(EXECVE, 10, START, pack(EXECVE, res=0, **values, env=attack)), comm=b"httpd")
    out = run(tmp_path, capture, "shellshock_detect").splitlines()
    assert len(out) == 2 and out[1].endswith("() { :;}; /bin/id > /tmp/x")
    clean = made(event(EXECVE, 10, START, pack(EXECVE, res=0, **values, env=b"PATH=/bin\0")), comm=b"httpd")
    assert len(run(tmp_path, clean, "shellshock_detect").splitlines()) == 1


def test_tracers_are_sent_to_the_server(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        capture = made(
            moved(WRITE, 0, 3, b">:t:shop.cart::"),
            moved(WRITE, 20, 3, b">:7:shop.other::"),
            moved(WRITE, 42, 3, b"<:t:shop.cart::"),
            moved(WRITE, 43, 3, b"<:8:shop.other::"),
            fds=(Entry(3, FdKind.FILE_V2, b"/dev/null"),),
        )
        given = {"server_addr": "127.0.0.1", "server_port": str(server.getsockname()[1])}
        assert run(tmp_path, capture, "tracers_2_statsd", arguments=given) == ""
        assert server.recv(1000) == b"shop.cart:42|ms\nshop.cart.count:1|c"


def test_cpu_time_on_a_machine_is_of_the_time_between_its_samples(tmp_path: Path) -> None:
    second = 1_000 * MS
    out: list[str] = []
    chisel = load().chisels["topprocs_cpu"](Settings(write=out.append))
    chisel.clock(START)

    def sampled(at: int, ticks: int) -> None:
        path = tmp_path / "made.scap"
        told = (
            event(PROCINFO, 10, when, pack(PROCINFO, cpu_usr=by, cpu_sys=0))
            for when, by in ((at - 1, 7), (at, 7 + ticks))
        )
        path.write_bytes(made(*told))
        source = open_capture(path)
        store = Store(source.raw)
        decoder = Decoder(store, str(path))
        while source.step(decoder):
            pass
        decoder.seal()
        for segment in store.segments:
            chisel.take(store, segment, segment.flags == 0)
        source.close()

    sampled(START, 100)
    chisel.clock(START + second)
    chisel.clock(START + 2 * second)
    assert out == [], "of one sample is not known what came before, and without one there is nothing new"
    sampled(START + 2 * second + 500 * MS, 50)
    chisel.clock(START + 3 * second)
    assert "".join(out).splitlines()[-1].split() == ["20.00%", "app", "10"]


def test_udp_extract_writes_a_file_a_connection_and_follows_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    connection = Socket(bytes((127, 0, 0, 1)), 5000, bytes((127, 0, 0, 1)), 53, UDP, Role.CLIENT)
    capture = made(
        moved(WRITE, 0, 3, b"ask"), moved(READ, 1, 3, b"answer"), fds=(Entry(3, FdKind.IPV4, socket=connection),)
    )
    run(tmp_path, capture, "udp_extract")
    (file,) = (tmp_path / "udp_dump_files").iterdir()
    assert file.name == "127.0.0.1_5000--127.0.0.1_53" and file.read_bytes() == b"askanswer"
    file.unlink()
    file.symlink_to(tmp_path / "precious")
    with pytest.raises(Exception, match="udp_dump_files"):
        run(tmp_path, capture, "udp_extract")
    assert not (tmp_path / "precious").exists()


def test_heat_maps_draw_a_line_a_period(tmp_path: Path) -> None:
    pairs = b"".join(
        event(6, 10, START + at * MS, pack(6, 2, fd=3, size=5))
        + event(7, 10, START + at * MS + 1000, pack(7, 2, res=5, data=b"hello"))
        for at in range(0, 3000, 10)
    )
    capture = made(pairs, fds=(Entry(3, FdKind.FILE_V2, b"/x"),))
    out = run(tmp_path, capture, "spectrogram", terminal=True, width=66)
    lines = out.split("\n")
    assert out.count("\x1b[48;5;") == len([line for line in lines if "\x1b[48;5;" in line]) >= 6
    drawn = next(line for line in lines if "\x1b[48;5;" in line)
    # 1 us is 3 of the 11 powers of ten.
    assert drawn.index("\x1b[48;5;") // len("\x1b[0m ") == 18
    assert "|1.00us" in out and "|1.00s" in out
    out = run(tmp_path, capture, "subsecoffset", terminal=True, width=50, arguments={"refresh_time": "100"})
    assert out.count("\x1b[48;5;") >= 200 and "|10ms" in out


def test_list_login_shells_and_spy_users_find_the_shell(tmp_path: Path) -> None:
    values = {"exe": "ls", "args": b"-l\0", "tid": 10, "pid": 10, "ptid": 1, "comm": "ls"}
    capture = made(event(EXECVE, 10, START, pack(EXECVE, res=0, **values)))
    assert run(tmp_path, capture, "list_login_shells").splitlines() == ["All shells:", "1"]
    assert run(tmp_path, capture, "list_login_shells", arguments={"command": "rm"}).splitlines() == [
        "Shells containing rm:"
    ]
    assert run(tmp_path, capture, "spy_users").split(" ", 2)[0] == "1" and ") ls -l" in run(
        tmp_path, capture, "spy_users"
    )
