"""From raw bytes to columns and back to arguments; the compiled loops."""
