"""Chisels: small programs that make something of a stream of events, as sysdig has them.

``chisel`` is what one is, ``top`` the tables of totals, ``declared`` reads those that are files, ``library`` finds all.
The others are the chisels themselves, by what they are about.
"""
