"""The lines above the table: source and state, crumbs of the drill-down, filter, damage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from engine.query.snapshots import Live, Status
from engine.query.work import Coverage
from engine.text import clean, duration, scaled
from tui.widgets.line import Line, runs

BAR = 10
"""Cells of the progress bar."""
ROOM_FOR_MEMORY = 90
"""Width from which memory is told as well, cells."""


class Header(Vertical):
    """Says what is open, where one is in it, and what is left out."""

    _steps: Sequence[tuple[str, str]] = ()

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
        live = status.live
        line.left = Content.assemble(
            (status.source, "bold"),
            (" live" if live and not live.ended else "", "$text-success"),
            (f"   {status.events:,} events · {span}" if status.events else "", "$foreground-muted"),
        )
        parts: list[tuple[str, str]] = []
        if live:
            parts += self._watched(live)
        if status.damage:
            parts.append((" ✗ damaged ", "bold reverse $warning"))
        if status.live is not None and status.live.recorded is not None and status.live.recorded.open:
            parts.append((" ● REC ", "bold reverse $error"))
        if paused:
            parts.append((" ‖ PAUSED ", "bold reverse"))
        if busy:
            parts.append(("…", "$foreground-muted"))
        if status.progress < 1:
            full = int(status.progress * BAR)
            parts.append((f"reading {status.progress:4.0%} {'█' * full}{'░' * (BAR - full)}", "$text-accent"))
        elif live:
            parts.append((f"{live.share:.0%} CPU {scaled(live.resident)}B", "$foreground-muted"))
        elif self.size.width >= ROOM_FOR_MEMORY:
            parts.append((f"{scaled(status.memory)}B in memory", "$foreground-muted"))
        line.right = Content("  ").join(Content.styled(text, style) for text, style in parts)
        damage = self.query_one("#damage", Line)
        damage.display = bool(status.damage or status.error)
        if status.error:
            damage.left = Content.assemble(("✗ ", "bold"), status.error)
        elif status.damage:
            more = f"   and {len(status.damage) - 1} more" if len(status.damage) > 1 else ""
            damage.left = Content.assemble(("✗ ", "bold"), status.damage[0], more)

    def _watched(self, live: Live) -> list[tuple[str, str]]:
        """What is to be told of a live source: losses first."""
        parts = []
        if live.lost_now:
            parts.append((f" ✗ {live.lost:,} lost ", "bold reverse $warning"))
        elif live.lost:
            parts.append((f"✗ {live.lost:,} lost", "$text-warning"))
        if live.ended:
            parts.append((" ■ ENDED ", "bold reverse"))
        elif not live.started:
            parts.append(("attaching…", "$text-accent"))
        elif live.behind:
            parts.append((f" behind: every {duration(live.interval)} ", "bold reverse $warning"))
        elif self.size.width >= ROOM_FOR_MEMORY:
            parts.append((f"every {duration(live.interval)}", "$foreground-muted"))
        if live.narrowed:
            parts.append((f"only {live.narrowed}", "$text-accent"))
        return parts

    def show_coverage(self, coverage: Coverage) -> None:
        """Mark what is missing of the rows: events that were lost, forgotten or left out."""
        parts = []
        if coverage.lost:
            parts.append(Content.styled(f" ✗ {coverage.lost:,} events of this lost ", "bold reverse $warning"))
        if coverage.since:
            since = datetime.fromtimestamp(coverage.since / 1e9).strftime("%H:%M:%S")
            parts.append(Content.styled(f" complete from {since} ", "reverse $warning"))
        self.query_one("#filter", Line).right = Content(" ").join(parts)

    def show_crumbs(self, steps: Sequence[tuple[str, str]]) -> None:
        """Tell the way here: each step's view, and the selection made in it ("" for none)."""
        self._steps = steps
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
        room = self.size.width - line.right.cell_length
        widths, hidden = [part.cell_length + 3 for part in parts], 0
        while hidden < len(parts) - 1 and 0 < room < sum(widths[hidden:]) + 2 * bool(hidden):
            hidden += 1
        if hidden:
            parts[:hidden] = [Content.styled("…", runs(f"screen.back_to({hidden - 1})"))]
        line.left = Content.styled(" ▸ ", "$foreground-muted").join(parts)

    def show_window(self, text: str) -> None:
        """Tell the range of time that is shown, "" for everything; a click goes back to everything."""
        line = self.query_one("#crumbs", Line)
        before = line.right.cell_length
        line.right = Content.styled(f" {text} ✕ ", "reverse").stylize(runs("screen.whole")) if text else Content("")
        if line.right.cell_length != before:
            self.show_crumbs(self._steps)

    def show_filter(self, terms: Sequence[str], besides: str, text: str) -> None:
        """Tell the text that rows must show, the terms of the user's filter, each with a mark to take it out, and what
        is kept besides; a click on the filter edits it."""
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
        rows = Content.assemble(
            ("Rows with ", "$foreground-muted"),
            clean(text),
            Content.styled(" ✕", "$text-accent").stylize(runs("screen.clear_text")),
            "   ",
        )
        self.query_one("#filter", Line).left = Content.assemble(rows if text else "", head, shown, nothing)
