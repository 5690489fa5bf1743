"""One call of every kind that has an event type of its own, with the parameters that are to be told of it.

Owns the table only. A case is what a process of its own does, in an empty folder ``here``, and what its last call of
that name must say: ``parameter=text``, the text as lines of events show it, with what it stands for in brackets;
``*`` stands for anything but nothing, ``-`` for nothing. Words in braces are names of the script. ``call`` makes a
system call, ``p`` is a path in ``here``, ``parts`` an array of struct iovec, ``quad`` eight bytes.
"""

from __future__ import annotations

from tests.live.arguments import descriptors, files, memory, processes, sockets

CASES: dict[str, tuple[str, str]] = {
    **files.CASES, **descriptors.CASES, **sockets.CASES, **memory.CASES, **processes.CASES,
}  # fmt: skip
WITHOUT = {
    "vfork": "a child that shares its parent's memory cannot be a Python script; test_processes has one by posix_spawn",
}
"""Calls without a case, and why."""
