"""The application: joins a session to the screen and ends with an exit status."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.events import Key
from textual.message import Message
from textual.widgets import Input

from engine.query.snapshots import Snapshot, Status
from engine.query.view import View
from engine.text import clean
from engine.user_files import ConfigError
from tui.engine import Engine
from tui.exit_codes import Exit
from tui.options import Options
from tui.screens.explorer import Explorer
from tui.screens.refused import Refused
from tui.settings import use_settings
from tui.theme import DARK, LIGHT
from tui.watching import Watching
from tui.widgets.dialog import Dialog
from tui.widgets.prompts import EDITING, Entry
from tui.widgets.timeline import Timeline

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread at work lets the screen's thread in: keeps keys quick while a file loads."""
OpenEngine = Callable[[Callable[[Snapshot], None]], Engine]
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
    "delete": "Del",
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
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = set()
    """The framework's own: ours tell all there is, and do it with more care."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T,ctrl+t", "look", "Theme", show=False, tooltip="Dark or light", id="theme"),
        Binding(
            "ctrl+s,S", "picture", "Picture", show=False, tooltip="Save the screen as an SVG picture here", id="picture"
        ),
        Binding("ctrl+p,colon", "command_palette", "Palette", show=False, tooltip="All commands by name", id="palette"),
        Binding("q", "quit", "Quit", tooltip="Leave", id="quit"),
        Binding("f10,ctrl+c", "quit", "Quit", show=False, priority=True, tooltip="Leave", id="quit-at-once"),
    ]

    def __init__(
        self,
        options: Options,
        views: Mapping[str, View],
        open_engine: OpenEngine,
        problems: Sequence[str] = (),
        instead: OpenEngine | None = None,
    ) -> None:
        """Open the source; what cannot be opened raises what ``open_engine`` raises. ``problems`` are told at start,
        ``instead`` opens what is offered when the source turns out to be closed to us."""
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # Before anything is styled: changed later, it would be once more.
        self.theme = DARK.name
        self._engine = open_engine(self.publish)
        self._views = views
        self._options = options
        self._explorer = Explorer(self._engine, views, options)
        self._problems = problems
        self._instead = instead
        self._settled = self.theme
        """Name of the theme one began with."""
        self.failure = ""
        """Why the app gave up, for people; "" when it did not."""

    def on_mount(self) -> None:
        """Show the screen and begin to read."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Tests run more than one app, and not all in the main thread.
            with suppress(ValueError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(number, self._leave, 128 + number)
        try:
            use_settings(self)
        except ConfigError as error:
            self.notify(str(error), severity="warning", timeout=PROBLEM_TIME, markup=False)
        self._settled = self.theme
        self.push_screen(self._explorer)
        for problem in self._problems:
            self.notify(problem, severity="warning", timeout=PROBLEM_TIME, markup=False)
        self._engine.start()

    def _leave(self, status: int) -> None:
        """End as a signal asks for."""
        if os.isatty(sys.__stdout__.fileno() if sys.__stdout__ else -1):
            self.exit(None, status)
        else:
            # The terminal is gone: whatever is written to it may wait for ever.
            self.close_engine()
            os._exit(status)

    def on_unmount(self) -> None:
        """Stop reading."""
        self.close_engine()

    def close_engine(self) -> None:
        """Stop reading, however the app ended."""
        self._engine.close()

    def publish(self, snapshot: Snapshot) -> None:
        """Take an answer, on any thread."""
        self.post_message(Published(snapshot))

    def on_published(self, message: Published) -> None:
        """Show an answer; a source without a single event ends the app."""
        snapshot = message.snapshot
        if isinstance(snapshot, Status) and snapshot.error and not snapshot.events:
            if self._instead and snapshot.live:
                self.push_screen(Refused(snapshot.error))
            else:
                self.failure = snapshot.error
                self.exit(return_code=Exit.FAILED)
        else:
            self._explorer.take(snapshot)

    @on(Refused.Instead)
    async def _open_instead(self) -> None:
        """Show what is offered in place of a machine that cannot be watched."""
        assert self._instead is not None
        self._engine.close()
        instead, self._instead = self._instead, None
        self._engine = instead(self.publish)
        self._explorer = Explorer(self._engine, self._views, self._options)
        await self.pop_screen()
        await self.switch_screen(self._explorer)
        self._engine.start()

    def get_key_display(self, binding: Binding) -> str:
        """A key as keyboards have it."""
        return key_name(binding.key)

    def on_key(self, event: Key) -> None:
        """Give a prompt or dialog what was typed while it opened: one that has the keys lets none through to here."""
        typed = isinstance(self.focused, Input) and event.is_printable
        edits = isinstance(self.focused, Entry) and event.key in EDITING
        if self.focused and (isinstance(self.focused, Dialog | Timeline) or typed or edits):
            event.prevent_default()
            self.focused._forward_event(Key(event.key, event.character))

    def action_look(self) -> None:
        """Change between dark and light; the theme of the settings is one of both."""
        dark = not self.current_theme.dark
        self.theme = next(
            name for name in (self._settled, DARK.name, LIGHT.name) if self.available_themes[name].dark is dark
        )

    def action_picture(self) -> None:
        """Save the screen as an SVG picture in the working directory."""
        path = Path(f"syscope-{datetime.now():%Y%m%d-%H%M%S}.svg")
        try:
            # What was captured may be nobody else's business.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="utf-8") as file:
                file.write(self.export_screenshot())
        except OSError as error:
            self.notify(f"The picture cannot be saved: {error.strerror}", severity="error", markup=False)
        else:
            self.notify(f"Saved {path}", markup=False)


def run(options: Options, watching: Watching | None = None) -> int:
    """Explore a capture full-screen, or the live machine as it is being watched; the result is the exit status
    (``exit_codes``)."""
    import views
    from engine import filters
    from engine.sources import CaptureError

    library = views.load()
    if options.view not in library.views and options.view != "dig":
        return _fail(Exit.USAGE, f"no view is called {options.view!r}; there are {', '.join([*library.views, 'dig'])}")
    with ExitStack() as kept:
        try:
            filters.compile(options.filter)
            if watching is not None:
                kept.callback(watching.leave)
                bundled = kept.enter_context(as_file(files("tui") / "demo.scap.gz"))
                app = Syscope(
                    options, library.views, _live(options, watching), library.problems, _capture(options, bundled)
                )
            else:
                assert options.path is not None
                app = Syscope(options, library.views, _capture(options, options.path), library.problems)
        except filters.FilterError as error:
            return _fail(Exit.USAGE, f"the filter is wrong: {error}")
        except CaptureError as error:
            return _fail(Exit.FAILED, str(error))
        kept.callback(app.close_engine)
        if options.path is not None and not os.isatty(0):
            # The capture comes from there, and has a descriptor of its own by now; keys come from the terminal.
            try:
                terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
            except OSError as error:
                return _fail(Exit.USAGE, f"the explorer needs a terminal for its keys: /dev/tty: {error.strerror}")
            os.dup2(terminal, 0)
            os.close(terminal)
        sys.setswitchinterval(SWITCH_INTERVAL)
        gc.freeze()
        gc.enable()
        app.run()
    if watching is not None and watching.child is not None:
        watching.child.print(sys.stdout.buffer)
    if app.failure:
        return _fail(Exit.FAILED, app.failure)
    return app.return_code or Exit.OK


def _capture(options: Options, path: Path) -> OpenEngine:
    from engine.ingest import CaptureIngest
    from engine.session import Session

    def opened(publish: Callable[[Snapshot], None]) -> Engine:
        def told(snapshot: Snapshot) -> None:
            if isinstance(snapshot, Status) and snapshot.progress == 1:
                # As what is imported, so what was read: the search for garbage in it holds keys up.
                gc.freeze()
            publish(snapshot)

        ingest = CaptureIngest(path, limit=options.limit, port_names=options.port_names, user_names=options.user_names)
        return Session(ingest, told)

    return opened


def _live(options: Options, watching: Watching) -> OpenEngine:
    from engine.session import Session

    def opened(publish: Callable[[Snapshot], None]) -> Engine:
        ingest = watching.ingest(
            interval_ms=options.delay_ms, limit=options.limit,
            port_names=options.port_names, user_names=options.user_names,
        )  # fmt: skip
        ingest.narrow(options.filter)
        return Session(ingest, publish)

    return opened


def _fail(status: Exit, message: str) -> int:
    sys.stderr.write(f"tui: {clean(message)}\n")
    return status
