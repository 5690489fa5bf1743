"""Every screen at three sizes, dark and light, is as in its pictures: every character, colour and style.

After a wanted change: `python -m tests.demo.pictures`, then look at what changed.
"""

from __future__ import annotations

from pathlib import Path

from tests.demo.pictures import KEPT, NAMES, PICTURES, pictures


async def test_every_screen_is_as_pictured(tmp_path: Path) -> None:
    changed = []
    async for picture in pictures(tmp_path / "own"):
        if picture.changed():
            changed.append(picture.name)
            picture.write(tmp_path, tmp_path)
    assert changed == [], f"compare {PICTURES} and {KEPT} with {tmp_path}"


def test_every_picture_is_of_a_screen() -> None:
    for folder in (PICTURES, KEPT):
        assert {path.name.partition(".")[0] for path in folder.iterdir()} == set(NAMES)
