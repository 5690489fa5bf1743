"""sysdig's filter language: text to syntax tree, tree to plan, plan to a mask over a segment."""

from engine.filters.errors import FilterError
from engine.filters.filter import Filter, combine, compile  # noqa: A004
from engine.filters.parser import parse
from engine.filters.syntax import quote

__all__ = ["Filter", "FilterError", "combine", "compile", "parse", "quote"]
