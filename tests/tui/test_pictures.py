"""Every screen at three sizes, dark and light, is as in the pictures of the documentation.

After a wanted change: `python -m tests.demo.pictures`, then look at what changed.
"""

from __future__ import annotations

from pathlib import Path

from tests.demo.pictures import PICTURES, SCREENS, frames


async def test_every_screen_is_as_pictured(tmp_path: Path) -> None:
    changed = []
    async for name, picture, text in frames():
        # Which views there are is no matter of looks; the picker's are held by test_looks.
        if name != "views" and (PICTURES / f"{name}.txt").read_text("utf-8") != text:
            changed.append(name)
            (tmp_path / f"{name}.txt").write_text(text, "utf-8")
            (tmp_path / f"{name}.svg").write_text(picture, "utf-8")
    assert changed == [], f"compare {PICTURES} with {tmp_path}"


def test_every_picture_is_of_a_screen() -> None:
    assert {path.stem for path in PICTURES.iterdir()} == {name for name, _ in SCREENS if name}
