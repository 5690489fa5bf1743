"""Tests of chisels."""
