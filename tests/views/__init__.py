"""Tests of the declared views."""
