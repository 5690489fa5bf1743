"""The user's own files: where they are, the settings in ``config.toml``, and small state kept between runs.

Settings are the user's to write and ours only to read; a mistake in them is told with file and line. State is ours:
small JSON files, written whole or not at all, forgotten when they cannot be read. Nothing here needs a home: without
one, or in one that cannot be written, there are no settings and no state. What a section or a state file means belongs
to those who ask for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from engine.text import clean
from engine.toml import TablePlace, TomlError, parse

MOST_BYTES = 1 << 20
"""Size of a settings or state file at most."""


class ConfigError(ValueError):
    """Something wrong in the settings: ``file:line: what was expected``, safe to show."""


def config_folder() -> Path | None:
    """``$XDG_CONFIG_HOME/syscope``, else ``~/.config/syscope``, whether it exists or not; None without a home."""
    return _folder("XDG_CONFIG_HOME", ".config")


def state_folder() -> Path | None:
    """``$XDG_STATE_HOME/syscope``, else ``~/.local/state/syscope``, whether it exists or not; None without a home."""
    return _folder("XDG_STATE_HOME", ".local/state")


def cache_folder() -> Path | None:
    """``$XDG_CACHE_HOME/syscope``, else ``~/.cache/syscope``, whether it exists or not; None without a home."""
    return _folder("XDG_CACHE_HOME", ".cache")


def _folder(variable: str, usual: str) -> Path | None:
    told = Path(os.environ.get(variable, ""))
    if told.is_absolute():  # a relative one is to be ignored, says the XDG base directory specification
        return told / "syscope"
    try:
        return Path.home() / usual / "syscope"
    except RuntimeError:
        return None


class Config:
    """What ``config.toml`` says; empty without such a file."""

    def __init__(self, text: str = "", path: Path | None = None) -> None:
        """Read a text; the path is for messages. Raises ConfigError."""
        self._text = text
        self._path = path
        try:
            self._tables = parse(text)
        except TomlError as error:
            raise self._error(error.line, str(error)) from None

    def section(self, name: str) -> dict[str, Any]:
        """The keys and values of the table ``[name]``; empty without one. Raises ConfigError."""
        table = self._tables.get(name, {})
        if not isinstance(table, dict):
            raise self.mistake("", name, f"expected a table [{name}]")
        return table

    def texts(self, name: str) -> dict[str, str]:
        """The section of a name whose values are all texts. Raises ConfigError."""
        table = self.section(name)
        for key, value in table.items():
            if not isinstance(value, str):
                raise self.mistake(name, key, "expected a text in quotes")
        return table

    def mistake(self, section: str, key: str, message: str) -> ConfigError:
        """The error of a key whose value does not do, with its place."""
        return self._error(TablePlace(self._text, section).line(key), f"{key}: {message}")

    def _error(self, line: int, message: str) -> ConfigError:
        return ConfigError(clean(f"{self._path or 'config.toml'}:{line}: {message}"))


def read_config() -> Config:
    """The user's settings. Raises ConfigError for a file that is there and cannot be used."""
    folder = config_folder()
    path = None if folder is None else folder / "config.toml"
    try:
        if path is None or not path.is_file():
            return Config()
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ConfigError(clean(f"{path}: expected at most {MOST_BYTES} bytes"))
        return Config(raw.decode("utf-8"), path)
    except OSError as error:
        raise ConfigError(clean(f"{path}: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(clean(f"{path}:{line}: expected UTF-8: {error.reason}")) from None


def read_state(name: str) -> Any:
    """What was last written under a name; None when there is nothing that can be read."""
    folder = state_folder()
    if folder is None:
        return None
    try:
        with (folder / f"{name}.json").open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        return json.loads(raw) if len(raw) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None


def write_state(name: str, value: Any) -> bool:
    """Keep a JSON value under a name, readable by the user alone, in place of what was there; False when it cannot be
    kept, and what was there stays. Callers bound what they keep: more than ``MOST_BYTES`` is not kept."""
    folder = state_folder()
    raw = json.dumps(value).encode()
    if folder is None or len(raw) > MOST_BYTES:
        return False
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    except OSError:
        return False
    try:
        with open(handle, "wb") as file:
            file.write(raw)
        os.replace(part, folder / f"{name}.json")
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        return False
    return True
