"""The lines above the table: source and state, crumbs of the drill-down, filter, damage."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from engine.query.snapshots import Status
from engine.text import clean, duration, scaled
from tui.widgets.line import Line, runs

BAR = 10
"""Cells of the progress bar."""
ROOM_FOR_MEMORY = 90
"""Width from which memory is told as well, cells."""


class Header(Vertical):
    """Says what is open, where one is in it, and what is left out."""

    def compose(self) -> ComposeResult:
        """Four lines; the last only shows when the source is damaged."""
        yield Line(id="source")
        yield Line(id="crumbs")
        yield Line(id="filter")
        yield Line(id="damage")

    def show_source(self, status: Status, *, paused: bool, busy: bool) -> None:
        """Tell name, size and span of the source, and what goes on."""
        line = self.query_one("#source", Line)
        span = duration(status.end - status.start)
        line.left = Content.assemble(
            (status.source, "bold"),
            (f"   {status.events:,} events · {span}" if status.events else "", "$foreground-muted"),
        )
        parts: list[tuple[str, str]] = []
        if status.damage:
            parts.append((" ✗ damaged ", "bold reverse $warning"))
        if paused:
            parts.append((" ‖ PAUSED ", "bold reverse"))
        if busy:
            parts.append(("…", "$foreground-muted"))
        if status.progress < 1:
            full = int(status.progress * BAR)
            parts.append((f"reading {status.progress:4.0%} {'█' * full}{'░' * (BAR - full)}", "$text-accent"))
        elif self.size.width >= ROOM_FOR_MEMORY:
            parts.append((f"{scaled(status.memory)}B in memory", "$foreground-muted"))
        line.right = Content("  ").join(Content.styled(text, style) for text, style in parts)
        damage = self.query_one("#damage", Line)
        damage.display = bool(status.damage)
        if status.damage:
            more = f"   and {len(status.damage) - 1} more" if len(status.damage) > 1 else ""
            damage.left = Content.assemble(("✗ ", "bold"), status.damage[0], more)

    def show_crumbs(self, steps: Sequence[tuple[str, str]]) -> None:
        """Tell the way here: each step's view, and the selection made in it ("" for none)."""
        parts: list[Content] = []
        for index, (name, selection) in enumerate(steps):
            last = index == len(steps) - 1
            crumb = (
                Content.styled(name, "bold $text-accent")
                if last
                else Content.styled(name, runs(f"screen.back_to({index})"))
            )
            chosen = Content.styled(f" {selection}", "$foreground-muted") if selection else Content("")
            parts.append(Content.assemble(crumb, chosen))
        line = self.query_one("#crumbs", Line)
        while len(parts) > 2 and sum(part.cell_length + 3 for part in parts) > self.size.width > 0:
            parts[0:2] = [Content.styled("…", runs(f"screen.back_to({len(steps) - len(parts)})"))]
        line.left = Content.styled(" ▸ ", "$foreground-muted").join(parts)

    def show_window(self, text: str) -> None:
        """Tell the range of time that is shown, "" for everything; a click goes back to everything."""
        line = self.query_one("#crumbs", Line)
        line.right = Content.styled(f" {text} ✕ ", "reverse").stylize(runs("screen.whole")) if text else Content("")

    def show_filter(self, terms: Sequence[str], besides: str) -> None:
        """Tell the terms of the user's filter, each with a mark to take it out, and what is kept besides; a click on
        the text edits it."""
        edit = runs("screen.edit_filter")
        parts = [
            Content.assemble(
                Content(clean(term)).stylize(edit),
                Content.styled(" ✕", "$text-accent").stylize(runs(f"screen.remove_term({index})")),
            )
            for index, term in enumerate(terms)
        ]
        if besides:
            parts.append(Content.styled(clean(besides), "$foreground-muted" if terms else "").stylize(edit))
        shown = Content.styled(" and ", "$foreground-muted").join(parts)
        nothing = Content("" if parts else "none").stylize(edit)
        head = Content.styled("Filter ", "$foreground-muted").stylize(edit)
        self.query_one("#filter", Line).left = Content.assemble(head, shown, nothing)
