"""Tests of sources: opening and reading captures."""
