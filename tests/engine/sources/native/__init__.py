"""Tests of native captures."""
