"""Parameters print as sysdig prints them: values, and in brackets what they stand for."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from engine.events import CATALOGUE
from engine.fields import look_up
from engine.fields.render import arguments
from engine.fields.values import shortened
from engine.model.facts import Group, User
from tests.engine.fields.recorded import alone, events, only, recorded
from tests.scapfile import event, pack, sockaddr, socktuple, unix_tuple, users


def exit_of(name: str) -> int:
    """The newest exit type of a call that is not marked as gone."""
    return max(kind.code for kind in CATALOGUE[:454] if kind.name == name and kind.is_exit)


def enter_of(name: str) -> int:
    """The newest enter type of a call."""
    return exit_of(name) - 1


def args(folder: Path, code: int, count: int | None = None, /, **values: Any) -> str:
    """evt.args of one event with these parameters, the first ``count`` of its type."""
    people = users([User(33, 33, b"www-data", b"/", b"/bin/sh"), Group(5, b"tty")])
    made = recorded(folder, people, event(code, 10, 1_000, pack(code, count, **values)))
    return arguments(only(made)[1]).decode()


@pytest.mark.parametrize(
    ("code", "values", "printed"),
    [
        (exit_of("close"), {"res": 0}, "res=0 "),
        (exit_of("close"), {"res": -9}, "res=-9(EBADF) "),
        (exit_of("access"), {"res": -2, "name": "/etc/ld.so.preload"}, "res=-2(ENOENT) name=/etc/ld.so.preload "),
        (exit_of("read"), {"res": 3, "data": b"a\n\xff"}, "res=3 data=a.. "),
        (exit_of("read"), {"res": 0, "data": b""}, "res=0 data= "),
        (exit_of("mkdir"), {"res": 0, "path": "d"}, "res=0 path=d(/root/d) "),
        (exit_of("mkdir"), {"res": 0, "path": "../x/./y"}, "res=0 path=../x/./y(/x/y) "),
        (exit_of("mkdir"), {"res": 0, "path": "(NULL)"}, "res=0 path=<NA> "),
        (exit_of("chdir"), {"res": -2, "path": None}, "res=-2(ENOENT) path=<NA> "),
        (exit_of("connect"), {"res": -2, "tuple": None}, "res=-2(ENOENT) tuple=NULL "),
        (
            exit_of("connect"),
            {"res": 0, "tuple": socktuple("10.0.0.1", 4000, "10.0.0.2", 80)},
            "res=0 tuple=10.0.0.1:4000->10.0.0.2:80 ",
        ),
        (
            exit_of("connect"),
            {"res": 0, "tuple": socktuple("::ffff:10.0.0.1", 4000, "::ffff:10.0.0.2", 80)},
            "res=0 tuple=10.0.0.1:4000->10.0.0.2:80 ",
        ),
        (exit_of("connect"), {"res": 0, "tuple": socktuple("::1", 1, "::1", 2)}, "res=0 tuple=::1:1->::1:2 "),
        (
            exit_of("connect"),
            {"res": 0, "tuple": unix_tuple("/run/x", 0, 0xFFFF8EDCFDA06800)},
            "res=0 tuple=0->ffff8edcfda06800 /run/x ",
        ),
        (exit_of("bind"), {"res": 0, "addr": sockaddr("127.0.0.1", 8088)}, "res=0 addr=127.0.0.1:8088 "),
        (exit_of("bind"), {"res": 0, "addr": b"\x10"}, "res=0 addr=NULL "),
    ],
)
def test_results_paths_and_addresses(tmp_path: Path, code: int, values: dict[str, Any], printed: str) -> None:
    assert args(tmp_path, code, len(values), **values) == printed


@pytest.mark.parametrize(
    ("code", "values", "printed"),
    [
        (enter_of("access"), {"mode": 0}, "mode=0(F_OK) "),
        (enter_of("access"), {"mode": 7}, "mode=7(R_OK|W_OK|X_OK) "),
        (enter_of("unshare"), {"flags": 0}, "flags=0 "),
        (enter_of("mprotect"), {"addr": 0x7FB2, "length": 16, "prot": 1}, "addr=7FB2 length=16 prot=1(PROT_READ) "),
        (enter_of("setuid"), {"uid": 33}, "uid=33(www-data) "),
        (enter_of("setuid"), {"uid": 0xFFFFFFFF}, "uid=-1 "),
        (enter_of("setgid"), {"gid": 5}, "gid=5(tty) "),
        (enter_of("kill"), {"pid": 10, "sig": 15}, "pid=10(cat) sig=15(SIGTERM) "),
        (enter_of("kill"), {"pid": 99, "sig": 0}, "pid=99 sig=0 "),
        (enter_of("nanosleep"), {"interval": 20_000}, "interval=20000(2e-05s) "),
        (enter_of("nanosleep"), {"interval": 0}, "interval=0(0s) "),
        (enter_of("getrlimit"), {"resource": 7}, "resource=7(RLIMIT_NOFILE) "),
    ],
)
def test_flags_people_and_times(tmp_path: Path, code: int, values: dict[str, Any], printed: str) -> None:
    assert args(tmp_path, code, len(values), **values) == printed


def test_an_fd_shows_kind_and_name_of_its_file(tmp_path: Path) -> None:
    opened, read = exit_of("openat"), enter_of("read")
    made = recorded(
        tmp_path,
        event(opened, 10, 1, pack(opened, fd=3, dirfd=-100, name="notes", flags=4097, mode=0, dev=0xFE00, ino=7)),
        event(read, 10, 2, pack(read, fd=3, size=4096)),
    )
    first, second = events(made)
    assert arguments(first).decode() == (
        "fd=3(<f>/root/notes) dirfd=-100(AT_FDCWD) name=notes(/root/notes) flags=4097(O_RDONLY|O_CLOEXEC) mode=0 "
        "dev=FE00 ino=7 "
    )
    assert arguments(second).decode() == "fd=3(<f>/root/notes) size=4096 "


def test_other_fds_show_what_they_stood_for_at_the_event(tmp_path: Path) -> None:
    opened, sent, polled, joined = exit_of("open"), enter_of("sendfile"), enter_of("poll"), exit_of("openat")
    close = enter_of("close")

    def opening(number: int, name: str) -> bytes:
        return event(opened, 10, 1, pack(opened, 4, fd=number, name=name, flags=1, mode=0))

    made = recorded(
        tmp_path,
        opening(3, "/in"),
        opening(4, "/out"),
        event(sent, 10, 2, pack(sent, out_fd=4, in_fd=3, offset=0, size=9)),
        event(polled, 10, 3, pack(polled, fds=[(3, 1), (9, 1)], timeout=0)),
        event(joined, 10, 4, pack(joined, 4, fd=-2, dirfd=3, name="x", flags=1)),
        event(close, 10, 5, pack(close, fd=3)),
        event(close + 1, 10, 6, pack(close + 1, 1, res=0)),
        event(sent, 10, 7, pack(sent, out_fd=4, in_fd=3, offset=0, size=9)),
    )
    printed = [arguments(each).decode() for each in events(made)]
    assert printed[2] == "out_fd=4(<f>/out) in_fd=3(<f>/in) offset=0 size=9 "
    assert printed[3] == "fds=3:f1 9:?1 timeout=0 "
    assert printed[4] == "fd=-2(ENOENT) dirfd=3(<f>/in) name=x(/in/x) flags=1(O_RDONLY) "
    assert printed[7] == "out_fd=4(<f>/out) in_fd=3 offset=0 size=9 "


def test_a_pid_shows_the_command_it_had_then(tmp_path: Path) -> None:
    kill, leave, execve = enter_of("kill"), 186, exit_of("execve")
    facts = pack(execve, 20, res=0, exe="/bin/dog", tid=10, pid=10, ptid=1, comm="dog")
    killing = [event(kill, 1, time, pack(kill, pid=10, sig=0)) for time in (1, 3, 6)]
    leaving = pack(leave, 4, status=0)
    made = recorded(
        tmp_path, killing[0], event(execve, 10, 2, facts), killing[1], event(leave, 10, 4, leaving), killing[2]
    )
    printed = [arguments(each).decode() for each in events(made) if each.type.name == "kill"]
    assert printed == ["pid=10(cat) sig=0 ", "pid=10(dog) sig=0 ", "pid=10 sig=0 "]


def test_an_unknown_fd_shows_its_number_alone(tmp_path: Path) -> None:
    code = enter_of("read")
    assert args(tmp_path, code, fd=77, size=1) == "fd=77 size=1 "


def test_a_limit_of_all_ones_is_minus_one(tmp_path: Path) -> None:
    code = exit_of("getrlimit")
    assert args(tmp_path, code, 3, res=0, cur=20_000, max=2**64 - 1) == "res=0 cur=20000 max=-1 "


def test_poll_lists_fds_with_their_events(tmp_path: Path) -> None:
    code = enter_of("poll")
    assert args(tmp_path, code, fds=[(6, 7), (4, 0x18)], timeout=10) == "fds=6:?7 4:?18 timeout=10 "


def test_a_damaged_fd_list_shows_its_whole_entries(tmp_path: Path) -> None:
    code = enter_of("poll")
    raw = struct.pack("<Hqh", 9, 6, 1) + b"\x01\x02"
    made = recorded(tmp_path, event(code, 10, 1, [raw, bytes(8)]))
    assert arguments(only(made)[1]) == b"fds=6:?1 timeout=0 "


def test_alternatives_print_by_their_own_type(tmp_path: Path) -> None:
    code = exit_of("getsockopt")
    index = CATALOGUE[code].index("val")
    assert index is not None
    shown = {number: args(tmp_path, code, res=0, val=(number, raw)) for number, raw in _ALTERNATIVES.items()}
    assert [text.split(" ")[index] for text in shown.values()] == ["val=ab.", "val=-13(EACCES)", "val=5", "val="]


_ALTERNATIVES = {0: b"ab\0", 1: (-13).to_bytes(8, "little", signed=True), 2: b"\5\0\0\0", 200: b"x"}


def test_payload_of_more_than_80_characters_is_cut(tmp_path: Path) -> None:
    assert shortened(b"x" * 80) == b"x" * 80
    assert shortened(b"x" * 81) == b"x" * 77 + b"..."
    code = exit_of("read")
    made = recorded(tmp_path, event(code, 10, 1, pack(code, 2, res=100, data=b"y" * 100)))
    assert arguments(only(made)[1], whole=True) == b"res=100 data=" + b"y" * 100 + b" "


def test_generic_calls_print_no_parameters(tmp_path: Path) -> None:
    assert args(tmp_path, 1, ID=212) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("evt.arg.fd", b"ENOENT"),
        ("evt.arg[0]", b"ENOENT"),
        ("evt.arg.flags", b"O_RDONLY"),
        ("evt.arg.name", b"/root/notes"),
        ("evt.arg.mode", b"0"),
        ("evt.arg.size", None),
        ("evt.arg[99]", None),
        ("evt.rawarg.fd", -2),
        ("evt.rawarg.flags", 1),
        ("evt.rawarg.name", b"notes"),
        ("evt.rawarg.size", None),
        ("evt.arg.dev", None),
    ],
)
def test_one_parameter_as_text_and_as_it_is(tmp_path: Path, name: str, value: bytes | int | None) -> None:
    code = exit_of("open")
    made = recorded(tmp_path, event(code, 10, 1, pack(code, 5, fd=-2, name="notes", flags=1, mode=0)))
    field, argument = look_up(name)
    assert field.of(only(made)[1], argument) == value


@pytest.mark.parametrize("code", range(2, 454))
def test_every_type_prints_whatever_its_parameters_hold(code: int) -> None:
    count = len(CATALOGUE[code].params)
    for raw in (b"", b"\0", b"\x01", b"\x02\xff", b"\xff" * 8, b"\x0a" * 40):
        made = alone(event(code, 10, 1, [raw] * count), code)
        assert arguments(made).count(b"=") >= count
        for name in ("evt.buffer", "evt.arg[0]", "evt.rawarg[0]"):
            field, argument = look_up(name)
            assert isinstance(field.of(made, argument), bytes | int | None)
