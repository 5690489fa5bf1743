"""Tests of what container runtimes tell, against small servers."""
