"""Whole-program measurements beside sysdig and csysdig; `make bench` runs them all."""
