"""The keys of the main screen: what they are, where the last line shows which, what help and docs/keys.md say of them.

Each action has an id, by which the ``[keys]`` section of the settings can give it other keys.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType

from engine.query.view import Kind
from tui.place import Place, Show

SHIFTED_DIGITS = (
    "exclamation_mark",
    "at",
    "number_sign",
    "dollar_sign",
    "percent_sign",
    "circumflex_accent",
    "ampersand",
    "asterisk",
    "left_parenthesis",
)
"""Shift and a digit on the keyboard csysdig assumes."""
DIGITS = Binding.Group("Sort on that column; again turns the order round")
SHIFTED = Binding.Group("The same with Shift")


def _key(keys: str, action: str, label: str, meaning: str, id: str, *, show: bool = True) -> Binding:  # noqa: A002
    return Binding(keys, action, label, show=show, tooltip=meaning, id=id)


def _quiet(keys: str, action: str, label: str, meaning: str, id: str) -> Binding:  # noqa: A002
    return _key(keys, action, label, meaning, id, show=False)


EDITING = "While a filter is typed"
"""Heading of the filter editor's keys."""
SECTIONS: dict[str, list[Binding]] = {
    "Look": [
        _key("f1,question_mark,h", "help", "Help", "This page", "help"),
        _key(
            "f2,v", "views", "Views", "Choose another view of what is selected; of event lines, how payload is shown",
            "views",
        ),
        _key("enter", "drill", "Open", "Drill down into the selected row", "drill"),
        _key("backspace,ctrl+h,b", "back", "Back", "Back to where you came from, as it was", "back"),
        _key("f5,e", "echo", "Echo", "What the selected row read and wrote", "echo"),
        _key("f6,d", "dig", "Dig", "The event lines of the selected row", "dig"),
        _quiet("F", "follow", "Follow", "The conversation of the row or event, both directions", "follow"),
        _quiet("o", "overview", "Overview", "Figures of everything, noteworthy ones first", "overview"),
        _key("f12,x", "spectrogram(False)", "Latency", "How long calls took, and when: a spectrogram", "latency"),
        _quiet("shift+f12,f24,X", "spectrogram(True)", "Latency of files", "Of calls on files only", "file-latency"),
        _key("space", "mark_corner", "Corner", "In a spectrogram: a corner of a rectangle, Enter opens it", "corner"),
        _quiet("C", "columns", "Columns", "Show, hide, order and widen the view's columns", "columns"),
        _quiet("t", "tree", "Tree", "Processes below their parents, or in one order", "tree"),
        _quiet("i", "peek", "Peek", "The selected row in full beside the table", "peek"),
        _key("f7,l", "legend", "Legend", "What this view and its columns mean", "legend"),
        _key(
            "p", "pause", "Pause",
            "Hold the picture still; reading goes on, and what is asked meanwhile is answered with all read so far",
            "pause",
        ),
        _key("f8,a", "actions", "Actions", "Commands on the selected row", "actions"),
        _key("c,delete", "clear", "Clear", "In lists: show only what comes from now on", "clear"),
    ],
    "Find and sort": [
        _key(
            "f4,backslash,f", "edit_filter", "Filter",
            "Edit the filter; it is checked while typed; F2 there: a text that rows must show", "filter",
        ),
        _quiet(
            "u", "remove_last", "Remove term",
            "Show all rows again, or take the last term out of the filter; ✕ takes any", "remove-term",
        ),
        _key("slash,ctrl+f", "search", "Find", "Find text in the rows while typing", "search"),
        _quiet("n,f3", "search_next(False)", "Find next", "Next row with the text", "next"),
        _quiet("N", "search_next(True)", "Find previous", "Previous row with the text", "previous"),
        _key("ctrl+g,J", "go_to", "Line", "Go to a row by its number", "line"),
        _key("f9,s", "sort", "Sort", "Choose the column to sort on", "sort"),
        _quiet("less_than_sign,comma", "shift_sort(-1)", "Sort left", "Sort on the column to the left", "sort-left"),
        _quiet(
            "greater_than_sign,full_stop", "shift_sort(1)", "Sort right", "Sort on the column to the right",
            "sort-right",
        ),
        *(
            Binding(key, f"sort_on({column})", show=False, group=group)
            for group, keys in ((DIGITS, "123456789"), (SHIFTED, SHIFTED_DIGITS))
            for column, key in enumerate(keys)
        ),
    ],
    "Time": [
        _quiet("r", "select_range", "Range", "Select a range on the timeline: ← → move, Space an edge, Enter", "range"),
        _quiet("left_square_bracket", "step(-1)", "Range before", "The range of the same length before", "earlier"),
        _quiet("right_square_bracket", "step(1)", "Range after", "The range of the same length after", "later"),
        _quiet("w", "whole", "Whole time", "Back to the whole time; live: back to now", "whole"),
        _quiet("plus", "zoom(True)", "Zoom in", "Zoom the timeline in, on the range if any", "closer"),
        _quiet("minus", "zoom(False)", "Zoom out", "Zoom the timeline out", "wider"),
        _quiet("left_curly_bracket", "pan(-1)", "Pan left", "An earlier part of the timeline", "pan-left"),
        _quiet("right_curly_bracket", "pan(1)", "Pan right", "A later part of the timeline", "pan-right"),
        _quiet("A", "mark_range", "Mark range A", "Make the range that is shown range A, to compare with", "mark-a"),
        _quiet("D", "compare", "Compare", "Each row in range A, in the range shown, and the change", "compare"),
        _quiet("P", "play", "Play", "Let the range move on by itself, 1× to 100×; again faster, Esc stops", "play"),
        _quiet("M", "measure", "Measure", "What the timeline counts: events, errors, bytes, latency", "measure"),
    ],
    "Of an event in full": [
        _quiet("equals_sign", "link('half')", "Other half", "The exit of an enter, the enter of an exit", "half"),
        _quiet("full_stop", "link('thread')", "Next of thread", "The next event of its thread", "thread-next"),
        _quiet(
            "comma", "link('thread-before')", "Previous of thread", "The previous event of its thread",
            "thread-previous",
        ),
        _quiet("greater_than_sign", "link('fd')", "Next of descriptor", "The next event of its descriptor", "fd-next"),
        _quiet(
            "less_than_sign", "link('fd-before')", "Previous of descriptor", "The previous event of its descriptor",
            "fd-previous",
        ),
    ],
    "Take along": [
        _quiet("B", "bookmark", "Bookmark", "Keep this place with a note", "bookmark"),
        _quiet("apostrophe", "bookmarks", "Bookmarks", "Places of this capture kept with a note", "bookmarks"),
        _quiet("m,tab", "cell", "Cells", "Keep a cell's value, leave it out, copy it, read it whole", "cells"),
        _quiet("y", "copy", "Copy", "Copy the selected row", "copy"),
        _quiet("R", "record", "Record", "Live: record from now on and what is kept of before; again ends it", "record"),
        _quiet("E", "export", "Export", "Save all rows as CSV, JSON or text, or copy them", "export"),
    ],
    "Move": [
        _quiet("up,k", "move(-1)", "Up", "One row up", "up"),
        _quiet("down,j", "move(1)", "Down", "One row down", "down"),
        _quiet("pageup,ctrl+b", "page(-1)", "Page up", "A screenful up", "page-up"),
        _quiet("pagedown,space", "page(1)", "Page down", "A screenful down", "page-down"),
        _quiet("home,g", "first", "First row", "First row", "first"),
        _quiet("end,G", "last", "Last row", "Last row", "last"),
        _quiet("left", "sideways(-1)", "Left", "Scroll left", "left"),
        _quiet("right", "sideways(1)", "Right", "Scroll right", "right"),
        _quiet(
            "escape", "cancel", "Cancel", "Leave a dialog or prompt, changing nothing; leave what is no table",
            "cancel",
        ),
    ],
}  # fmt: skip
"""The keys by what they are for, in the order help tells them."""
BINDINGS: list[BindingType] = [binding for section in SECTIONS.values() for binding in section]
_OF_LINES = {"views": "View as", "search": "Find", "back": "Back", "go_to": "Line", "clear": "Clear"}
_OF_A_PICTURE = {"mark_corner": "Corner", "drill": "Events", "back": "Back"}
_OF_A_LIST = {"clear": "Clear"}
_HERE: Mapping[Show, Mapping[str, str]] = {
    Show.EVENTS: _OF_LINES,
    Show.ECHO: _OF_LINES,
    Show.STREAM: _OF_LINES,
    Show.DETAIL: {"drill": "Go to", "search": "Find", "back": "Back"},
    Show.SPECTROGRAM: _OF_A_PICTURE,
    Show.FILE_SPECTROGRAM: _OF_A_PICTURE,
}


def keys_of(place: Place) -> Mapping[str, str]:
    """What is mostly done in a place, by action, as the last line calls it there."""
    if place.view and place.view.kind is Kind.LIST:
        return _OF_A_LIST
    return _HERE.get(place.show, {})
