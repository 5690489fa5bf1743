"""Tests of the live source on the running kernel."""
