"""Getting the program into the kernel: once compiled it is kept, and whatever goes wrong is one message."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from engine.sources import bcc_compiler
from engine.sources.live import btf, image, loader
from engine.sources.live.loader import LoadError, Options, load
from tests.live.observing import Observer

SMALL = Options(ring=1 << 16)


@pytest.fixture
def cache(observer: Observer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, where the kernel can be watched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "syscope"


@pytest.fixture(scope="module")
def made(observer: Observer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a compiled program, as the first start leaves it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        load(SMALL).close()
    (file,) = (folder / "syscope").iterdir()
    return file


@pytest.fixture
def compiled(cache: Path, made: Path) -> Path:
    """A copy of it in the cache."""
    cache.mkdir()
    return Path(shutil.copy2(made, cache))


def without_compiler(*_: object) -> None:
    raise image.CompileError("the compiler was asked")


def test_a_second_start_needs_no_compiler(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_compile", without_compiler)
    load(SMALL).close()


@pytest.mark.parametrize("damage", ["cut", "instructions", "maps", "json"])
def test_a_damaged_file_is_made_anew(compiled: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    whole = compiled.read_text()
    compiled.write_text(
        {
            "cut": whole[: len(whole) // 2],
            "instructions": whole.replace('"sockets": "', '"sockets": "ffffffffffffffff'),
            "maps": whole.replace('"buffers", 6, 4', '"buffers", 6, 9000'),
            "json": "[]",
        }[damage]
    )
    load(SMALL).close()
    assert compiled.read_text() == whole


def test_what_others_may_write_is_not_run(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_compile", without_compiler)
    compiled.chmod(0o666)
    with pytest.raises(LoadError, match="the compiler was asked"):
        load(SMALL)
    compiled.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(compiled, 12345, -1)
        with pytest.raises(LoadError, match="the compiler was asked"):
            load(SMALL)


def test_another_source_or_kernel_has_another_file(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_compile", without_compiler)
    values = loader._values()
    monkeypatch.setattr(loader, "_values", lambda: values | {"MAX_PARTS": 4})
    with pytest.raises(LoadError, match="the compiler was asked"):
        load(SMALL)


def test_what_the_compiler_says_is_kept_and_not_shown(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    values = loader._values()
    del values["MAX_PARTS"]
    monkeypatch.setattr(loader, "_values", lambda: values)
    with pytest.raises(LoadError) as failed:
        load(SMALL)
    assert "MAX_PARTS" in failed.value.log
    assert "\n" not in str(failed.value)
    assert capfd.readouterr() == ("", "")
    assert not cache.exists(), "what failed is not kept"


def test_what_the_verifier_says_is_kept(compiled: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = image.image(loader._values(), ["sockets"])
    # r0 = *(r1 + 0x4000): nothing is there.
    wrong = dataclasses.replace(made, programs={"sockets": bytes.fromhex("7910004000000000" + "9500000000000000")})
    with pytest.raises(LoadError, match="cannot load program sockets") as failed:
        loader._load(wrong, SMALL)
    assert "invalid" in failed.value.log
    assert capfd.readouterr() == ("", "")


def test_a_killed_compiler_is_told(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "killed.py"
    script.write_text("import os; print('last words', flush=True); os.kill(os.getpid(), 9)")
    monkeypatch.setattr(bcc_compiler, "__file__", str(script))
    with pytest.raises(LoadError, match="the compiler ") as failed:
        load(SMALL)
    assert "last words" in failed.value.log


def test_an_interpreter_that_does_not_start_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image.sys, "executable", "/no/such/python")  # type: ignore[attr-defined]
    with pytest.raises(LoadError, match="does not start"):
        load(SMALL)


def test_a_kernel_without_types_is_told(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(btf, "VMLINUX", tmp_path / "none")
    with pytest.raises(LoadError, match="CONFIG_DEBUG_INFO_BTF"):
        load(SMALL)


def test_nothing_stays_open_when_loading_fails(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(loader, "_TRACEPOINTS", ("sys_enter", "no_such_tracepoint"))
    with pytest.raises(LoadError):
        load(SMALL)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_few_compiled_programs_are_kept(tmp_path: Path) -> None:
    for number in range(20):
        file = tmp_path / f"program-{number}.json"
        image._write(file, {})
        os.utime(file, (number, number))
    image._write(tmp_path / "program-new.json", {})
    kept = {file.name for file in tmp_path.iterdir()}
    assert kept == {"program-new.json", *(f"program-{number}.json" for number in range(13, 20))}
