"""Tests of captures written: recorded and exported."""
