"""Tests of what is read from payloads."""
