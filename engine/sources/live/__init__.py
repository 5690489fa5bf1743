"""The live kernel as a source of events."""
