"""Chisels that are declared, one file each; data only."""
