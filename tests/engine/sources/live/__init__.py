"""Tests of the live source, without a kernel."""
