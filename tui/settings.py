"""The user's keys and colours, from ``config.toml``.

``[keys]`` gives actions other keys by their ids; ``[theme]`` names a theme and changes the colours of its roles.
"""

from __future__ import annotations

from dataclasses import fields, replace

from textual.app import App
from textual.binding import Binding
from textual.color import Color, ColorParseError
from textual.theme import Theme

from engine.user_files import Config, read_config
from tui.screens.keys import BINDINGS
from tui.widgets.filter_editor import KEYS

OWN = "mine"
"""Name of a theme with colours of the user's."""
ROLES = {field.name for field in fields(Theme)} - {"name", "dark", "variables", "luminosity_spread", "text_alpha"}


def use_settings(app: App[None]) -> None:
    """Use what the settings say. Raises ConfigError for a mistake; what stands before it is in use."""
    config = read_config()
    keys = config.texts("keys")
    ids = {binding.id for binding in (*BINDINGS, *KEYS, *app.BINDINGS) if isinstance(binding, Binding)}
    for unknown in keys.keys() - ids:
        raise config.mistake("keys", unknown, "expected the id of an action, see docs/keys.md")
    app.set_keymap(keys)
    theme = _theme(app, config)
    app.register_theme(theme)
    app.theme = theme.name


def _theme(app: App[None], config: Config) -> Theme:
    """The theme in force, or the named one, with the user's colours."""
    colours = dict(config.texts("theme"))
    name = colours.pop("name", app.theme)
    theme = app.available_themes.get(name)
    if theme is None:
        known = ", ".join(sorted(app.available_themes))
        raise config.mistake("theme", "name", f"expected the name of a theme, one of {known}")
    for role, colour in colours.items():
        if role not in ROLES:
            raise config.mistake("theme", role, f"expected name or a role, one of {', '.join(sorted(ROLES))}")
        try:
            Color.parse(colour)
        except ColorParseError:
            raise config.mistake("theme", role, f"expected a colour such as #5b9bd5, not {colour}") from None
    return replace(theme, name=OWN, **colours) if colours else theme  # type: ignore[arg-type]
