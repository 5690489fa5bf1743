"""`tui doctor` tells everything live capture needs, and of all that is missing the command that mends it."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from engine.sources import bcc_compiler
from engine.sources.live import btf
from engine.sources.live.loader import LoadError
from engine.sources.runtimes import lookup
from tests.engine.sources.runtimes.servers import saying, serving
from tests.engine.sources.runtimes.test_runtimes import DOCKER, dockers, nodes
from tui.commands import doctor
from tui.exit_codes import Exit
from tui.mending import Distribution, with_capabilities

DEBIAN = Distribution(frozenset({"debian"}), "11", "bullseye")
UBUNTU = Distribution(frozenset({"ubuntu", "debian"}), "20.04", "focal")
FEDORA = Distribution(frozenset({"fedora"}), "42", "")
OTHER = Distribution(frozenset({"arch"}))
ALL = f"{(1 << 41) - 1:016x}"


def machine(
    root: Path,
    *,
    effective: str = ALL,
    bounding: str = ALL,
    lockdown: str = "",
    line: str = "quiet",
    secure: bytes = b"",
) -> Path:
    """The files of a machine that are looked at."""
    files = {
        "proc/self/status": f"Name:\tx\nCapEff:\t{effective}\nCapBnd:\t{bounding}\n".encode(),
        "proc/cmdline": line.encode(),
        "sys/kernel/security/lockdown": lockdown.encode(),
        doctor._SECURE_BOOT: secure,
    }
    for name, content in files.items():
        if content:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
    return root


def test_distributions_are_told_apart(tmp_path: Path) -> None:
    assert Distribution.found(tmp_path) == Distribution()
    (tmp_path / "etc").mkdir()
    release = tmp_path / "etc/os-release"
    release.write_text('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\nVERSION_CODENAME=focal\n')
    assert Distribution.found(tmp_path) == UBUNTU
    release.write_text('NAME="x"\nID="rocky"\nID_LIKE="rhel centos fedora"\n')
    assert Distribution.found(tmp_path).uses_dnf


@pytest.mark.parametrize("release", ["5.15.0-91-generic", "6.18+", "10.0", "6.8.0-rc1"])
def test_a_new_kernel_will_do(release: str) -> None:
    assert doctor.kernel(release, DEBIAN).good


@pytest.mark.parametrize("release", ["5.14.99", "4.19.0-27-amd64", "odd"])
@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        (DEBIAN, "sudo apt install -t bullseye-backports linux-image-amd64"),
        (UBUNTU, "sudo apt install linux-generic-hwe-20.04"),
        (FEDORA, "sudo dnf upgrade --refresh kernel"),
        (OTHER, "boot a newer kernel"),
    ],
    ids=["debian", "ubuntu", "fedora", "other"],
)
def test_of_an_old_kernel_it_tells_how_to_get_a_newer_one(
    release: str, distribution: Distribution, command: str
) -> None:
    finding = doctor.kernel(release, distribution)
    assert finding.good is False
    assert "5.15" in finding.found
    assert command in finding.mend


def test_of_a_kernel_without_types_it_tells_how_to_get_one_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor.types(tmp_path, DEBIAN).mend == "sudo mount -t sysfs sysfs /sys"
    (tmp_path / "sys/kernel").mkdir(parents=True)
    monkeypatch.setattr(btf, "VMLINUX", tmp_path / "vmlinux")
    for distribution, command in (
        (DEBIAN, "sudo apt install linux-image-amd64 && sudo reboot"),
        (UBUNTU, "sudo apt install linux-image-generic && sudo reboot"),
        (FEDORA, "sudo dnf install kernel && sudo reboot"),
    ):
        finding = doctor.types(tmp_path, distribution)
        assert finding.good is False
        assert "CONFIG_DEBUG_INFO_BTF" in finding.found
        assert finding.mend.startswith(command)
        assert "scripts/config -e DEBUG_INFO_BTF" in finding.mend
    (tmp_path / "vmlinux").write_bytes(b"no types of anything that is needed")
    finding = doctor.types(tmp_path, UBUNTU)
    assert finding.good is False
    assert "hwe" in finding.mend


def test_of_missing_capabilities_it_tells_who_can_give_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = list(doctor.permissions(machine(tmp_path), DEBIAN))
    assert [finding.good for finding in every] == [True] * 4
    machine(tmp_path, effective=f"{1 << 39:x}")
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    of_user = {finding.what: finding for finding in doctor.permissions(tmp_path, DEBIAN)}
    assert [finding.good for finding in of_user.values()] == [True, False, None, None]
    assert of_user["CAP_PERFMON"].mend.startswith("sudo ")
    assert "--ambient-caps=+bpf,+perfmon" in of_user["CAP_PERFMON"].mend
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    of_root = {finding.what: finding for finding in doctor.permissions(tmp_path, DEBIAN)}
    assert "fresh root shell" in of_root["CAP_PERFMON"].mend
    machine(tmp_path, effective="0", bounding="a80425fb")
    in_container = {finding.what: finding for finding in doctor.permissions(tmp_path, DEBIAN)}
    assert "--cap-add=BPF --cap-add=PERFMON" in in_container["CAP_BPF"].mend


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand on some of its capabilities")
def test_the_command_that_gives_a_user_what_is_needed_gives_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = tmp_path / "tui"
    script.write_text("#!/bin/sh\nid -u\ngrep CapEff /proc/self/status\n")
    script.chmod(0o755)
    for folder in tmp_path.parents:
        if not os.stat(folder).st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o711)
    command = with_capabilities(str(script), 1, 65534).removeprefix("sudo ")
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    user, _, held = done.stdout.split()
    assert user == "1"
    assert int(held, 16) == 1 << 39 | 1 << 38 | 1 << 19 | 1 << 2


@pytest.mark.parametrize(
    ("line", "secure", "distribution", "command"),
    [
        ("ro lockdown=confidentiality", b"", DEBIAN, "sudo update-grub"),
        ("ro lockdown=confidentiality", b"", FEDORA, "sudo grubby"),
        ("ro", b"\6\0\0\0\1", UBUNTU, "sudo mokutil --disable-validation"),
        ("ro", b"\6\0\0\0\0", UBUNTU, "grep -rl security/lockdown /etc"),
        ("ro", b"", UBUNTU, "grep -rl security/lockdown /etc"),
    ],
    ids=["command line", "grubby", "secure boot", "no secure boot", "while it runs"],
)
def test_of_a_lockdown_it_tells_what_lowers_it(
    tmp_path: Path, line: str, secure: bytes, distribution: Distribution, command: str
) -> None:
    root = machine(tmp_path, lockdown="none integrity [confidentiality]\n", line=line, secure=secure)
    finding = list(doctor.permissions(root, distribution))[-1]
    assert (finding.what, finding.good) == ("lockdown", False)
    assert command in finding.mend


def test_a_lockdown_that_lets_us_watch_is_none(tmp_path: Path) -> None:
    root = machine(tmp_path, lockdown="none [integrity] confidentiality\n")
    assert list(doctor.permissions(root, DEBIAN))[-1].good


@pytest.fixture
def no_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nobody had imported or installed one."""
    monkeypatch.delitem(sys.modules, "bcc", raising=False)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(bcc_compiler, "_directories", list)


def package(folder: Path, text: str) -> str:
    (folder / "bcc").mkdir()
    (folder / "bcc/__init__.py").write_text(text)
    return str(folder)


@pytest.mark.usefixtures("no_binding")
def test_a_binding_that_is_not_there_is_to_be_installed() -> None:
    finding = doctor.binding(DEBIAN)
    assert (finding.good, finding.mend) == (False, "sudo apt install python3-bpfcc")
    assert doctor.binding(FEDORA).mend == "sudo dnf install python3-bcc"
    assert "python3-bpfcc" in doctor.binding(OTHER).mend


@pytest.mark.usefixtures("no_binding")
def test_the_other_program_called_bcc_is_recognised_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, "raise RuntimeError('it must not even run')"))
    finding = doctor.binding(DEBIAN)
    assert (finding.good, finding.mend) == (False, "sudo apt install python3-bpfcc")
    assert f"{tmp_path}/bcc/__init__.py is another program" in finding.found


@pytest.mark.usefixtures("no_binding")
def test_the_other_program_in_the_place_of_the_binding_is_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path, "")
    monkeypatch.setattr(bcc_compiler, "_directories", lambda: [folder])
    finding = doctor.binding(DEBIAN)
    assert finding.good is False
    assert "another program" in finding.found
    assert finding.mend.startswith("sudo /usr/bin/python3 -m pip uninstall --break-system-packages bcc && sudo apt")


@pytest.mark.usefixtures("no_binding")
def test_a_binding_that_does_not_load_is_to_be_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = package(tmp_path, "raise OSError('libbcc.so.0: cannot open shared object file')")
    monkeypatch.setattr(bcc_compiler, "_directories", lambda: [folder])
    finding = doctor.binding(DEBIAN)
    assert "libbcc.so.0" in finding.found
    assert finding.mend == "sudo apt install --reinstall python3-bpfcc"
    assert doctor.binding(FEDORA).mend == "sudo dnf reinstall python3-bcc"


def test_attaching_is_only_tried_when_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise LoadError("the verifier refuses it", "R1 invalid\nmem access\x1b[2J")

    monkeypatch.setattr(doctor, "load", broken)
    assert "mend the above" in doctor.attaching(False).found
    finding = doctor.attaching(True)
    assert (finding.good, finding.found) == (False, "the verifier refuses it")
    assert finding.words.startswith("R1 invalid")


def test_what_the_compiler_said_is_printed_clean_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = doctor.Finding("attaching", False, "refused", "see below", "line\n" * 1000 + "\x1b[2J")
    monkeypatch.setattr(doctor, "_findings", lambda: iter([said]))
    assert doctor.run(Namespace()) == Exit.FAILED
    out, err = capsys.readouterr()
    assert out == "MISS attaching      refused\n                    see below\n"
    assert err == "line\n" * doctor.MOST_LINES


def test_what_mends_several_things_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        doctor.Finding("one", False, "x", "do this"),
        doctor.Finding("two", None, "x", "do this"),
        doctor.Finding("three", True, "x", "never said"),
        doctor.Finding("four", None, "x", "do that"),
    ]
    monkeypatch.setattr(doctor, "_findings", lambda: iter(found))
    assert doctor.run(Namespace()) == Exit.FAILED
    words = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert [line[1] for line in words] == ["one", "two", "this", "three", "four", "that"]


def test_runtimes_that_answer_are_told_and_those_that_do_not_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "s", DOCKER) as path, serving(tmp_path / "docker.sock", saying(b"no")) as odd:
        monkeypatch.setattr(lookup, "runtimes", lambda: [dockers(path), nodes(odd), dockers(str(tmp_path / "none"))])
        first, second = doctor.runtimes()
    assert (first.good, first.found) == (True, f"{path}: Docker 27.1")
    assert second.good is None
    assert second.found.startswith(f"{odd}: ")
    assert "sudo systemctl restart docker" in second.mend
    monkeypatch.setattr(lookup, "runtimes", list)
    (alone,) = doctor.runtimes()
    assert alone.good is None
    assert "ids" in alone.found


def test_a_socket_one_may_not_use_is_told_with_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "answering", lambda: [("/run/docker.sock", "Permission denied", False)])
    (finding,) = doctor.runtimes()
    assert finding.mend.endswith(f"sudo setfacl -m u:{os.geteuid()}:rw /run/docker.sock")


@pytest.mark.parametrize(
    ("term", "columns", "lines", "good", "mend"),
    [
        ("xterm", 80, 24, True, ""),
        ("", 80, 24, None, "export TERM="),
        ("dumb", 200, 60, None, "export TERM="),
        ("tmux-256color", 79, 24, None, "80 by 24"),
        ("xterm", 80, 23, None, "80 by 24"),
    ],
)
def test_a_terminal_is_judged(term: str, columns: int, lines: int, good: bool | None, mend: str) -> None:
    finding = doctor.terminal(term, columns, lines)
    assert finding.good is good
    assert mend in finding.mend
