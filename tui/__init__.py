"""The command line and the screens: all that people see of syscope."""

__version__ = "0.1.0"
