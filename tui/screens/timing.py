"""Time: the timeline, the selected range (window), stepping, zooming and playing through it."""

from __future__ import annotations

import time
from dataclasses import replace

from textual.content import Content
from textual.timer import Timer

from engine.query.snapshots import Snapshot, Status
from engine.query.timeline import MEANINGS, Measure, TimelineRequest, TimelineSnapshot
from engine.query.widths import width_for
from engine.store.segment import Window
from engine.text import duration
from tui.moments import range_text
from tui.screens.part import Part
from tui.widgets.timeline import Timeline

SPEEDS = (1, 2, 5, 10, 20, 50, 100)
TICK = 0.2
"""Seconds between two pictures while playing."""
TENTH = 10
"""The part of what is seen that is selected at first."""
LEAST_HEIGHT = 16
"""Lines of a screen that has room for the timeline."""
TALL = 34
"""Lines from which on bars are two lines high."""


class Timing(Part):
    """Which range of time is shown."""

    measure = Measure.EVENTS
    span: Window | None = None
    """What the timeline shows; None for everything."""
    _pending: TimelineRequest | None = None
    _stale = False
    _speed = 0
    _player: Timer | None = None
    _played_at = 0.0

    def mounted(self) -> None:
        """Look for news at intervals."""
        self.timeline = self.screen.query_one(Timeline)
        self.screen.set_interval(self.screen.options.delay_ms / 1000, self._refresh_stale)

    def resized(self, height: int) -> None:
        """Take as many lines as there is room for."""
        self.timeline.display = height >= LEAST_HEIGHT
        self.timeline.styles.height = 3 if height >= TALL else 2

    def allows(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A range is there to be stepped only when there are events."""
        if action == "whole":
            return True if self.screen.place.window or self.span else None
        return True if self.screen.status.end else None

    # the timeline

    def ask(self) -> None:
        """Ask for what the timeline shows."""
        if not self.timeline.display:
            return
        place = self.screen.place
        request = TimelineRequest(place.levels, place.filter, self.span, self.timeline.cells, self.measure)
        self._pending, self._stale = request, False
        self.screen.engine.ask("timeline", request)

    def status_changed(self, status: Status) -> None:
        """Ask again once there is more."""
        self._stale |= status.events != self.screen.status.events
        if self.screen.status.live is not None and self.screen.place.window:
            self.screen.header.show_window(self._told())
        if not status.events and self.screen.status.events:
            self.ask()

    def _refresh_stale(self) -> None:
        if self._stale and not self._pending and not self.screen.paused and self.span is None:
            self.ask()

    def place_shown(self) -> None:
        """Count what the place keeps."""
        self.timeline.mark(self.screen.place.window, self.screen.place.against)
        self.screen.header.show_window(self._told())
        self.ask()

    def take(self, snapshot: Snapshot) -> bool:
        """Show counts; those of another place or range say nothing any more."""
        if not isinstance(snapshot, TimelineSnapshot):
            return False
        if snapshot.request is self._pending:
            self.timeline.show(snapshot)
            if snapshot.complete:
                self._pending = None
        return True

    def action_measure(self) -> None:
        """Choose what the timeline counts."""
        choices = list(Measure)

        def chosen(index: int) -> None:
            self.measure = choices[index]
            self.ask()

        labels = [
            Content.styled(f"• {each.value}", "bold") if each is self.measure else Content(f"  {each.value}")
            for each in choices
        ]
        self.screen.dialog.choose(
            "Timeline of", labels, lambda at: [("", MEANINGS[choices[at]])], choices.index(self.measure), chosen, ("M",)
        )

    # the range

    def show(self, window: Window | None) -> None:
        """Show the present place over another range; the rows there are stay until those of the range come."""
        place = self.screen.place
        if window != place.window:
            self.screen.places[-1] = replace(place, window=window)
            self._follow(window)
            self.timeline.mark(window, place.against)
            self.screen.narrow()
            for part in (self.screen.rows, self.screen.overview, self.screen.spectrograms):
                part.ask()
        self.screen.header.show_window(self._told())
        self.screen.refresh_bindings()

    def _follow(self, window: Window | None) -> None:
        """Let the timeline show as much time as it does around a range that goes out of its sight."""
        if self.span is None or window is None or (self.span[0] <= window[0] and window[1] <= self.span[1]):
            return
        length = self.span[1] - self.span[0] + 1
        later = window[1] > self.span[1]
        start = window[0] - length // 10 if later else window[1] + length // 10 - length + 1
        self._see((start, start + length - 1))

    def _told(self) -> str:
        """The range as the header tells it, "" for everything."""
        window = self.screen.place.window
        if window is None:
            return ""
        speed = f"▶ {self._speed}×  " if self._speed else ""
        if self.screen.status.live is not None and window[1] < self.screen.status.end:
            speed += f"◷ {duration(self.screen.status.end - window[1])} behind now  "
        last = self.screen.status.end
        return f"{speed}{range_text((window[0], min(window[1], last) if window[0] < last else window[1]))}"

    @property
    def _seen(self) -> Window:
        """What the timeline shows."""
        return self.span or (self.screen.status.start, self.screen.status.end)

    def _present(self) -> Window:
        """The selected range; without one the first tenth of what is seen, whole cells of the timeline."""
        if self.screen.place.window:
            return self.screen.place.window
        start, end = self._seen
        width = width_for((start, end), TENTH)
        return start // width * width, start // width * width + width - 1

    def action_select_range(self) -> None:
        """Select a range by keys."""
        self.timeline.select()

    def action_step(self, by: int) -> None:
        """Go to the next range of the same length, or the previous one, if anything was captured then."""
        start, end = self._present()
        length = end - start + 1
        if self.screen.place.window is None:
            by = 0 if by > 0 else (self._seen[1] - start) // length
        start += by * length
        if start <= self.screen.status.end and start + length > self.screen.status.start:
            self.show((start, start + length - 1))

    def action_zoom(self, closer: bool) -> None:
        """Show less time on the timeline, the selected range if there is one, or more."""
        start, end = self._seen
        window = self.screen.place.window
        if closer and window and (window[1] - window[0]) * 2 < end - start:
            margin = (window[1] - window[0]) // 4 + 1
            self._see((window[0] - margin, window[1] + margin))
        else:
            first, last = window or (start, end)
            self.zoom(closer, (first + last) // 2 if closer else (start + end) // 2)

    def zoom(self, closer: bool, moment: int) -> None:
        """Show half or double the time on the timeline, a moment where it is."""
        start, end = self._seen
        length = end - start + 1
        wanted = max(length // 2, 2 * self.timeline.cells) if closer else 2 * length
        if closer and wanted >= length:
            return
        before = min(max(moment - start, 0), length) * wanted // length
        self._see((moment - before, moment - before + wanted - 1))

    def _see(self, span: Window) -> None:
        """Let the timeline show a span, everything where that is all of it."""
        first, last = self.screen.status.start, self.screen.status.end
        self.span = None if span[0] <= first and span[1] >= last else span
        self.ask()
        self.screen.refresh_bindings()

    def turned(self, event: Timeline.Turned) -> None:
        """Do what the wheel wants."""
        if event.sideways:
            self.action_pan(event.sideways)
        else:
            self.zoom(event.closer, event.moment)

    def action_pan(self, by: int) -> None:
        """Show an earlier or later time on the timeline."""
        if self.span is None:
            return
        start, end = self.span
        step = by * (end - start) // 2
        first, last = self.screen.status.start, self.screen.status.end
        if first <= end + step and start + step <= last:
            self.span = (start + step, end + step)
            self.ask()

    def action_whole(self) -> None:
        """Go back to the whole, live to now."""
        self._stop()
        self.span = None
        self.show(None)
        self.ask()

    # playing

    def action_play(self) -> None:
        """Let the range move on by itself; again faster. From the end of a capture it begins anew."""
        start, end = self._present()
        if end >= self.screen.status.end and self._player is None and not self._growing:
            start, end = self.screen.status.start, self.screen.status.start + end - start
        self.show((start, end))
        self._speed = next((speed for speed in SPEEDS if speed > self._speed), SPEEDS[0])
        self._played_at = time.monotonic()
        if self._player is None:
            self._player = self.screen.set_interval(TICK, self._play_on)
        self.screen.header.show_window(self._told())

    @property
    def _growing(self) -> bool:
        """Whether there will be more of the capture."""
        status = self.screen.status
        return status.progress < 1 or (status.live is not None and not status.live.ended)

    def _play_on(self) -> None:
        """Move the range by the time that passed, unless the engine has not answered for where it is. Where it comes to
        the end it stops, or goes on as fast as that moves itself."""
        window, last = self.screen.place.window, self.screen.status.end
        if window is None:
            self._stop()
        elif not (self.screen.rows.pending or self.screen.overview.awaited or self.screen.spectrograms.awaited):
            now = time.monotonic()
            by = int((now - self._played_at) * 1e9 * self._speed)
            self._played_at = now
            if window[1] + by >= last:
                by = max(0, last - window[1])
                self._speed = SPEEDS[0]
                if not self._growing:
                    self._stop()
            self.show((window[0] + by, window[1] + by))

    def _stop(self) -> None:
        if self._player:
            self._player.stop()
        self._player, self._speed = None, 0
        self.screen.header.show_window(self._told())

    def cancel(self) -> bool:
        """Stop playing."""
        if self._player is None:
            return False
        self._stop()
        return True
