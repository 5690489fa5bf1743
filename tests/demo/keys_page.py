"""Write docs/keys.md from the bindings themselves.

python -m tests.demo.keys_page
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual.binding import Binding

from tui.app import Syscope, key_name
from tui.screens.keys import EDITING, SECTIONS
from tui.widgets.filter_editor import KEYS

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "keys.md"
HEAD = """# Keys

F1 shows this list in the program; it and this page are made from the bindings themselves
(`python -m tests.demo.keys_page`). A key can be changed by the id of its action in `~/.config/syscope/config.toml`:

```toml
[keys]
drill = "enter,l"
```

Every key in the last line and in the frame of a dialog can be clicked; ≡ in the last line has all commands.
Colours are never the only sign of anything; `NO_COLOR` is honoured.
"""
MANY = 6


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    own = [binding for binding in Syscope.BINDINGS if isinstance(binding, Binding)]
    for title, bindings in (*SECTIONS.items(), (EDITING, KEYS), ("Everywhere", own)):
        parts.append(f"## {title}\n\n| keys | id | does |\n| --- | --- | --- |")
        parts += table(bindings)
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def table(bindings: Iterable[Binding]) -> list[str]:
    """A row for each action; a group of keys is one."""
    rows: dict[str, tuple[str, list[str]]] = {}
    for binding in bindings:
        meaning = binding.group.description if binding.group else binding.tooltip
        _, keys = rows.setdefault(meaning, (binding.id or "", []))
        keys += [f"`{key_name(key)}`" for key in binding.key.split(",")]
    shown = {
        meaning: (id_, " ".join(keys) if len(keys) < MANY else f"{keys[0]} … {keys[-1]}")
        for meaning, (id_, keys) in rows.items()
    }
    return [f"| {keys.replace('|', chr(92) + '|')} | {id_} | {meaning} |" for meaning, (id_, keys) in shown.items()]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
