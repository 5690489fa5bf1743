"""What several cases begin or end with."""

from __future__ import annotations

FILE = 'fd = os.open("f", os.O_CREAT | os.O_RDWR, 0o640); os.write(fd, b"0123456789"); os.lseek(fd, 0, 0)\n'
INODE = "\nfacts = os.fstat(r); ino = facts.st_ino; dev = os.major(facts.st_dev) << 8 | os.minor(facts.st_dev)"
