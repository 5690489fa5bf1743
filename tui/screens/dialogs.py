"""What the dialogs of the main screen say: the view picker, the sort picker, help, and a view's legend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual.binding import ActiveBinding
from textual.content import Content

from engine.query.tiles import TILES
from engine.query.view import View
from tui.place import Place, offered, target
from tui.screens.keys import EDITING, SECTIONS
from tui.widgets.dialog import CHOOSING, Dialog, Fact
from tui.widgets.filter_editor import KEYS
from tui.widgets.page import Page

MANY = 6
"""Keys of one meaning from which on only the first and the last are told."""
TITLE_WIDTH = 24
"""Cells the titles of tiles take."""
HELP_WIDTH = 18
"""Cells the keys take in help."""
SORTING = "Find and sort"
"""Heading of the keys that come in groups."""
READ = ("backspace", "q", "enter")
"""Keys that leave a text to read, besides the ones that opened it."""


def choose_view(
    dialog: Dialog, views: Mapping[str, View], place: Place, chosen: Callable[[View], None], *, containers: bool
) -> None:
    """Offer the views that can follow, the present one marked."""
    entries = offered(views.values(), place)
    labels = [
        Content.styled(f"• {view.name}", "bold") if view is place.view else Content(f"  {view.name}")
        for view in entries
    ]
    dialog.choose(
        "Views",
        labels,
        lambda index: describe_view(entries[index], containers=containers),
        entries.index(place.view) if place.view in entries else 0,
        lambda index: chosen(entries[index]),
        ("f2", "v"),
    )


def choose_sort(dialog: Dialog, page: Page, chosen: Callable[[int], None]) -> None:
    """Offer the columns to sort on, each with its digit; the present one again turns the order round."""
    mark = "▼ " if page.descending else "▲ "
    labels = [
        Content.assemble(
            (f"{index + 1} " if index < 9 else "  ", "$foreground-muted"),
            (mark if index == page.sort else "  ", "bold"),
            column.title,
        )
        for index, column in enumerate(page.columns)
    ]
    digits = {str(index + 1): index for index in range(min(9, len(labels)))}
    dialog.choose(
        "Sort on", labels, lambda index: [("", page.columns[index].description)], page.sort or 0, chosen, ("f9", "s"),
        digits, keys=(CHOOSING[0], ((), "1…9 sorts"), *CHOOSING[2:]),
    )  # fmt: skip


def show_help(dialog: Dialog, bindings: Iterable[tuple[str, ActiveBinding]]) -> None:
    """Tell every action in force: its keys as they are named on keyboards, and what it does."""
    sections = {EDITING: KEYS, **SECTIONS}
    headings = {binding.id: title for title, section in sections.items() for binding in section if binding.id}
    told: dict[str, dict[str, list[str]]] = {title: {} for title in (*sections, "Everywhere")}
    for key, active in bindings:
        binding = active.binding
        # Bindings of the framework's own have no tooltip, and nothing to do with events.
        if meaning := binding.group.description if binding.group else binding.tooltip:
            heading = SORTING if binding.group else headings.get(binding.id or "", "Everywhere")
            told[heading].setdefault(meaning, []).append(key)
    facts: Sequence[Fact] = [
        *(
            fact
            for title, keys in told.items()
            if keys
            for fact in [
                (title, ""),
                *(
                    (" ".join(names if len(names) < MANY else (names[0], "…", names[-1])), meaning)
                    for meaning, names in keys.items()
                ),
            ]
        ),
        ("Mouse", ""),
        ("title", "Sorts; again turns the order round."),
        ("row", "Selects it; the selected row opens."),
        ("cell", "The right button offers to keep only its value, leave it out, copy it."),
        (
            "timeline",
            "Dragging selects a range or moves its ends; a click goes back to everything; the wheel zooms.",
        ),
        ("spectrogram", "Dragging draws a rectangle and opens its events; so does a second click."),
        ("wheel", "Scrolls; with Shift sideways."),
        ("elsewhere", "Crumbs lead back, the filter is edited, the keys in the last line work; ≡ has all commands."),
    ]
    dialog.tell("Keys", facts, (*READ, "f1", "question_mark", "h"), HELP_WIDTH)


def show_legend(dialog: Dialog, views: Mapping[str, View], view: View, key_field: str, *, containers: bool) -> None:
    """Tell all there is to know about a view."""
    follows = target(views, view, key_field)
    facts = [
        *describe_view(view, containers=containers),
        ("Rows", ""),
        ("one for", f"each {view.key_for(containers)}" if view.key_for(containers) else "each event"),
        ("of", view.filter or "all events"),
        ("Enter", f"opens {follows.name if follows else 'its events'}"),
    ]
    dialog.tell(view.name, facts, (*READ, "f7", "l"))


def show_tiles(dialog: Dialog, views: Mapping[str, View]) -> None:
    """Tell what every tile of the overview counts, and what Enter opens."""
    facts: list[Fact] = [("", "Figures of what is selected; noteworthy ones come first when they are not nothing.")]
    category = ""
    for tile in TILES:
        if tile.category != category:
            category = tile.category
            facts.append((category, ""))
        view = views.get(tile.view)
        opens = view.name if view else "what was moved" if tile.view == "echo" else "the events"
        facts.append((tile.title, f"{tile.meaning} Enter: {opens}."))
    dialog.tell("Overview", facts, (*READ, "f7", "l"), TITLE_WIDTH)


def describe_view(view: View, *, containers: bool) -> list[Fact]:
    """A view's description, tips and columns."""
    return [
        ("", view.description),
        *([("Tips", "")] if view.tips else []),
        *(("", tip) for tip in view.tips),
        ("Columns", ""),
        *((column.title, column.description) for column in view.columns_for(containers)),
    ]
