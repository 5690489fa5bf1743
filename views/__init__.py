"""The declared views: one TOML file each, the project's own beside this module and the user's.

Owns what may stand in such a file. Running a view belongs to ``engine.query``.
"""

from views.declared import json_schema
from views.loader import Library, check, load

__all__ = ["Library", "check", "json_schema", "load"]
