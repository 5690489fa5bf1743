"""Pages to read: help, made from the keys in force, and a view's legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from engine.query.view import View
from tui.widgets.facts import Fact, Facts

MANY = 6
"""Keys of one meaning from which on only the first and the last are told."""


class TextPage(ModalScreen[None]):
    """A page that scrolls; the keys that leave it are many."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q,enter,f1,f7,question_mark,h,l", "dismiss", "Close", show=False),
        Binding("down,j", "scroll('down')", "Down", show=False),
        Binding("up,k", "scroll('up')", "Up", show=False),
        Binding("pagedown,space", "scroll('page_down')", "Page down", show=False),
        Binding("pageup", "scroll('page_up')", "Page up", show=False),
        Binding("home,g", "scroll('home')", "Start", show=False),
        Binding("end,G", "scroll('end')", "End", show=False),
    ]

    def __init__(self, caption: str, facts: Sequence[Fact], title_width: int = 12) -> None:
        """Show facts under a caption."""
        super().__init__()
        self._caption = caption
        self._facts = Facts(facts, title_width=title_width)

    def compose(self) -> ComposeResult:
        """The text in a frame."""
        with VerticalScroll(id="dialog", can_focus=False) as page:
            page.border_title = Content(self._caption)
            page.border_subtitle = Content("Esc close")
            yield self._facts

    def action_scroll(self, where: str) -> None:
        """Scroll as the key says."""
        getattr(self.query_one("#dialog"), f"scroll_{where}")(animate=False)


def help_facts(bindings: Iterable[tuple[str, ActiveBinding]]) -> list[Fact]:
    """Every action in force: its keys as they are named on keyboards, and what it does."""
    keys: dict[str, list[str]] = {}
    for key, active in bindings:
        # Bindings of the framework's own have no tooltip, and nothing to do with events.
        if meaning := active.binding.group.description if active.binding.group else active.binding.tooltip:
            keys.setdefault(meaning, []).append(key)
    return [
        *(
            (" ".join(names if len(names) < MANY else (names[0], "…", names[-1])), meaning)
            for meaning, names in keys.items()
        ),
        ("Mouse", ""),
        ("title", "Sorts; again turns the order round."),
        ("row", "Selects it; the selected row opens."),
        ("wheel", "Scrolls; with Shift sideways."),
        ("elsewhere", "Crumbs lead back, the filter is edited, the keys in the last line work."),
    ]


def describe_view(view: View, *, containers: bool) -> list[Fact]:
    """A view's description, tips and columns."""
    return [
        ("", view.description),
        *([("Tips", "")] if view.tips else []),
        *(("", tip) for tip in view.tips),
        ("Columns", ""),
        *((column.title, column.description) for column in view.columns_for(containers)),
    ]


def legend(view: View, *, containers: bool, target: View | None) -> list[Fact]:
    """All there is to know about a view."""
    return [
        *describe_view(view, containers=containers),
        ("Rows", ""),
        ("one for", f"each {view.key_for(containers)}" if view.key_for(containers) else "each event"),
        ("of", view.filter or "all events"),
        ("Enter", f"opens {target.name if target else 'its events'}"),
    ]
