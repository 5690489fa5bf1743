"""Settings and state: found where XDG says, wrong ones told with their line, and nothing lost without a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import user_files
from engine.user_files import ConfigError, config_folder, read_config, read_state, state_folder, write_state


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


def settings(home: Path, text: str | bytes) -> None:
    folder = home / ".config" / "syscope"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_bytes(text.encode() if isinstance(text, str) else text)


def test_folders_are_in_the_home_unless_told_otherwise(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_folder() == home / ".config" / "syscope"
    assert state_folder() == home / ".local" / "state" / "syscope"
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert config_folder() == Path("/elsewhere/syscope")
    assert state_folder() == home / ".local" / "state" / "syscope"


def test_without_a_home_there_are_no_settings_and_no_state(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert config_folder() is None
    assert read_config().section("macros") == {}
    assert not write_state("filters", [1])
    assert read_state("filters") is None


def test_a_missing_file_has_empty_sections(home: Path) -> None:
    assert read_config().texts("macros") == {}


def test_sections_are_read(home: Path) -> None:
    settings(home, '[macros]\nweb = "fd.port=80"\n[theme]\nname = "dark"\nlevel = 3\n')
    config = read_config()
    assert config.texts("macros") == {"web": "fd.port=80"}
    assert config.section("theme") == {"name": "dark", "level": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[macros]\nweb = \n", "config.toml:2: not TOML: "),
        (b"[macros]\n\nweb = '\xff'\n", "config.toml:3: expected UTF-8"),
        ("macros = 3\n", "config.toml:1: macros: expected a table [macros]"),
        ('[theme]\nweb = 2\n[macros] # mine\na = "x"\nweb = 2\n', "config.toml:5: web: expected a text in quotes"),
        ("a = '" + "x" * user_files.MOST_BYTES + "'", "config.toml: expected at most"),
    ],
)
def test_mistakes_are_told_with_file_and_line(home: Path, text: str | bytes, message: str) -> None:
    settings(home, text)
    with pytest.raises(ConfigError) as error:
        read_config().texts("macros")
    assert str(error.value).startswith(f"{home}/.config/syscope/{message}")


def test_a_mistake_can_be_told_by_who_reads_the_section(home: Path) -> None:
    settings(home, '[keys]\nquit = "?"\n')
    assert str(read_config().mistake("keys", "quit", "no such key")).endswith("config.toml:2: quit: no such key")


def test_state_is_kept_for_the_user_alone(home: Path) -> None:
    assert write_state("filters", {"saved": ["évt"]})
    assert write_state("filters", {"saved": ["fd.port=80"]})
    assert read_state("filters") == {"saved": ["fd.port=80"]}
    folder = home / ".local" / "state" / "syscope"
    assert [file.name for file in folder.iterdir()] == ["filters.json"]
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "filters.json").stat().st_mode & 0o077 == 0


def test_damaged_state_is_forgotten(home: Path) -> None:
    write_state("filters", [1])
    (home / ".local" / "state" / "syscope" / "filters.json").write_text("[1,")
    assert read_state("filters") is None


def test_too_large_or_unwritable_state_is_not_kept(home: Path) -> None:
    write_state("filters", [1])
    assert not write_state("filters", "x" * user_files.MOST_BYTES)
    assert read_state("filters") == [1]
    (home / ".local" / "state" / "syscope" / "other.json").mkdir()
    assert not write_state("other", [2])
    assert len(list((home / ".local" / "state" / "syscope").iterdir())) == 2


def test_a_home_that_is_no_folder_keeps_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null")
    assert not write_state("filters", [1])
    assert read_state("filters") is None
    assert read_config().section("macros") == {}
