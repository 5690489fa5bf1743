"""The keys of the main screen: what they are, which the last line shows, and what help says of them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

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
BINDINGS: list[BindingType] = [
    Binding("f1,question_mark,h", "help", "Help", tooltip="This page", id="help"),
    Binding("f2,v", "views", "Views", tooltip="Choose another view of what is selected", id="views"),
    Binding(
        "f4,backslash,f", "edit_filter", "Filter", tooltip="Edit the filter; it is checked while typed", id="filter"
    ),
    Binding("f6,d", "dig", "Dig", tooltip="The event lines of the selected row", id="dig"),
    Binding("f7,l", "legend", "Legend", tooltip="What this view and its columns mean", id="legend"),
    Binding("f9,s", "sort", "Sort", tooltip="Choose the column to sort on", id="sort"),
    Binding("slash,ctrl+f", "search", "Find", tooltip="Find text in the rows while typing", id="search"),
    Binding("enter,o", "drill", "Open", tooltip="Drill down into the selected row", id="drill"),
    Binding("backspace,ctrl+h,b", "back", "Back", tooltip="Back to where you came from, as it was", id="back"),
    Binding(
        "p",
        "pause",
        "Pause",
        tooltip="Hold the picture still; reading goes on, and what is asked meanwhile is answered with all read so far",
        id="pause",
    ),
    Binding("n", "search_next(False)", "Next", show=False, tooltip="Next row with the text", id="next"),
    Binding("N", "search_next(True)", "Previous", show=False, tooltip="Previous row with the text", id="previous"),
    Binding(
        "less_than_sign,comma", "shift_sort(-1)", "Sort left", show=False, tooltip="Sort on the column to the left"
    ),
    Binding(
        "greater_than_sign,full_stop",
        "shift_sort(1)",
        "Sort right",
        show=False,
        tooltip="Sort on the column to the right",
    ),
    *(
        Binding(key, f"sort_on({column})", show=False, group=group)
        for group, keys in ((DIGITS, "123456789"), (SHIFTED, SHIFTED_DIGITS))
        for column, key in enumerate(keys)
    ),
    Binding("up,k", "move(-1)", "Up", show=False, tooltip="One row up"),
    Binding("down,j", "move(1)", "Down", show=False, tooltip="One row down"),
    Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, tooltip="A screenful up"),
    Binding("pagedown,space", "page(1)", "Page down", show=False, tooltip="A screenful down"),
    Binding("home,g", "first", "First", show=False, tooltip="First row"),
    Binding("end,G", "last", "Last", show=False, tooltip="Last row"),
    Binding("left", "sideways(-1)", "Left", show=False, tooltip="Scroll left"),
    Binding("right", "sideways(1)", "Right", show=False, tooltip="Scroll right"),
    Binding("escape", "cancel", "Cancel", tooltip="Leave the filter or the search unchanged"),
]
