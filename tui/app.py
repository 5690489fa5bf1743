"""The application: joins a session to the screen and ends with an exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.widgets import Input

from engine.query.snapshots import Snapshot, Status
from engine.query.view import View
from engine.text import clean
from tui.engine import Engine
from tui.exit_codes import Exit
from tui.options import Options
from tui.screens.explorer import Explorer
from tui.theme import DARK, LIGHT

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread at work lets the screen's thread in: keeps keys quick while a file loads."""
PROBLEM_TIME = 10
"""Seconds a problem with somebody's own files stays on the screen."""
KEY_NAMES = {
    "question_mark": "?",
    "backslash": "\\",
    "slash": "/",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "escape": "Esc",
    "backspace": "Bksp",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "exclamation_mark": "!",
    "at": "@",
    "number_sign": "#",
    "dollar_sign": "$",
    "percent_sign": "%",
    "circumflex_accent": "^",
    "ampersand": "&",
    "asterisk": "*",
    "left_parenthesis": "(",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "apostrophe": "'",
    "colon": ":",
}
"""Names of keys whose own is not what is printed on them."""


def key_name(key: str) -> str:
    """A key as keyboards have it: F1, Enter, Ctrl+S."""
    *modifiers, key = key.split("+")
    name = KEY_NAMES.get(key) or (key if len(key) == 1 and not modifiers else key.capitalize())
    return "+".join([*map(str.capitalize, modifiers), name])


class Published(Message):
    """The engine answered. A newer answer of the same kind takes the place of one not yet shown."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Carry the answer to the app's thread."""
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """True when the other message is older news of the same kind."""
        return isinstance(message, Published) and type(message.snapshot) is type(self.snapshot)


class Syscope(App[None]):
    """Full-screen explorer of one source."""

    TITLE = "syscope"
    CSS_PATH = "explorer.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T,ctrl+t", "look", "Theme", show=False, tooltip="Dark or light", id="theme"),
        Binding(
            "ctrl+s,S", "picture", "Picture", show=False, tooltip="Save the screen as an SVG picture here", id="picture"
        ),
        Binding("q", "quit", "Quit", tooltip="Leave", id="quit"),
        Binding("f10,ctrl+c", "quit", "Quit", show=False, priority=True, tooltip="Leave", id="quit-at-once"),
    ]

    def __init__(
        self,
        options: Options,
        views: Mapping[str, View],
        open_engine: Callable[[Callable[[Snapshot], None]], Engine],
        problems: Sequence[str] = (),
    ) -> None:
        """Open the source; what cannot be opened raises what ``open_engine`` raises. ``problems`` are told at start."""
        super().__init__()
        self._engine = open_engine(self.publish)
        self._explorer = Explorer(self._engine, views, options)
        self._problems = problems
        self.failure = ""
        """Why the app gave up, for people; "" when it did not."""

    def on_mount(self) -> None:
        """Show the screen and begin to read."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.push_screen(self._explorer)
        for problem in self._problems:
            self.notify(problem, severity="warning", timeout=PROBLEM_TIME, markup=False)
        self._engine.start()

    def on_unmount(self) -> None:
        """Stop reading."""
        self._engine.close()

    def publish(self, snapshot: Snapshot) -> None:
        """Take an answer, on any thread."""
        self.post_message(Published(snapshot))

    def on_published(self, message: Published) -> None:
        """Show an answer; a source without a single event ends the app."""
        snapshot = message.snapshot
        if isinstance(snapshot, Status) and snapshot.error and not snapshot.events:
            self.failure = snapshot.error
            self.exit(return_code=Exit.FAILED)
        else:
            self._explorer.take(snapshot)

    def get_key_display(self, binding: Binding) -> str:
        """A key as keyboards have it."""
        return key_name(binding.key)

    def on_key(self, event: Key) -> None:
        """Give a prompt what was typed while it opened: an input that has the keys lets no text through to here."""
        if isinstance(self.focused, Input) and event.is_printable:
            event.prevent_default()
            self.focused.post_message(Key(event.key, event.character))

    def action_look(self) -> None:
        """Change between dark and light."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def action_picture(self) -> None:
        """Save the screen as an SVG picture in the working directory."""
        try:
            self.notify(f"Saved {Path(self.save_screenshot()).name}", markup=False)
        except OSError as error:
            self.notify(f"The picture cannot be saved: {error.strerror}", severity="error", markup=False)


def run(options: Options) -> int:
    """Explore a capture full-screen; the result is the exit status (``exit_codes``)."""
    import views
    from engine import filters
    from engine.ingest import CaptureIngest
    from engine.session import Session
    from engine.sources import CaptureError

    def open_session(publish: Callable[[Snapshot], None]) -> Session:
        ingest = CaptureIngest(
            options.path, limit=options.limit, port_names=options.port_names, user_names=options.user_names
        )
        return Session(ingest, publish)

    library = views.load()
    if options.view not in library.views and options.view != "dig":
        return _fail(Exit.USAGE, f"no view is called {options.view!r}; there are {', '.join([*library.views, 'dig'])}")
    try:
        filters.compile(options.filter)
        app = Syscope(options, library.views, open_session, library.problems)
    except filters.FilterError as error:
        return _fail(Exit.USAGE, f"the filter is wrong: {error}")
    except CaptureError as error:
        return _fail(Exit.FAILED, str(error))
    sys.setswitchinterval(SWITCH_INTERVAL)
    app.run()
    if app.failure:
        return _fail(Exit.FAILED, app.failure)
    return app.return_code or Exit.OK


def _fail(status: Exit, message: str) -> int:
    sys.stderr.write(f"tui: {clean(message)}\n")
    return status
