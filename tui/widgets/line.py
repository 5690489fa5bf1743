"""One line of text with a left and a right part, any of which may be clicked."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

EMPTY = Content("")


class Line(Widget):
    """Shows as much of the left part as the right part leaves room for."""

    left: reactive[Content] = reactive(EMPTY, always_update=True)
    """Cut at its end when there is too little room. (Contents compare equal when only their styles differ.)"""
    right: reactive[Content] = reactive(EMPTY, always_update=True)
    """Always shown whole."""

    def render(self) -> Content:
        """Both parts, pushed to their sides."""
        room = max(0, self.size.width - self.right.cell_length - bool(self.right))
        left = self.left.truncate(room, ellipsis=True, pad=True)
        return Content(" " if self.right else "").join([left, self.right])

    async def on_click(self, event: events.Click) -> None:
        """Run what the clicked text stands for."""
        if action := event.style.meta.get("runs"):
            event.stop()
            await self.app.run_action(action, self.screen)


def runs(action: str) -> Style:
    """Style of text that runs an action of the screen when it is clicked."""
    return Style.from_meta({"runs": action})
