"""The two looks: calm, few colours, the same roles in both. Widgets only name roles."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="syscope-dark",
    dark=True,
    background="#12161c",
    surface="#181d25",
    panel="#212833",
    foreground="#cfd6e0",
    primary="#5b9bd5",
    secondary="#7f93a8",
    accent="#7cc0a8",
    warning="#e0b060",
    error="#ee7b7b",
    success="#8cc084",
)
LIGHT = Theme(
    name="syscope-light",
    dark=False,
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e6e3db",
    foreground="#252a31",
    primary="#2f6fab",
    secondary="#5d6b7a",
    accent="#16705a",
    warning="#8a5a00",
    error="#b02a2a",
    success="#2c6e2c",
)
