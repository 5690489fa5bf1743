"""`make bench`: make the big capture where there is none, compare, then measure the keys.

The capture is $SYSCOPE_BIG (default build/big.scap), made from mixed.scap.gz of $SYSCOPE_CAPTURES (default
../shared/captures): 15 million events, about 950 MB.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks import compare, dig, filters, key_latency
from benchmarks.make_big import make_big

EVENTS = 15_000_000
ROUNDS = 5


def main() -> int:
    """Run all; exit status 1 when the capture cannot be made."""
    big = Path(os.environ.get("SYSCOPE_BIG", "build/big.scap"))
    if not big.exists():
        source = Path(os.environ.get("SYSCOPE_CAPTURES", "../shared/captures")) / "mixed.scap.gz"
        if not source.exists():
            print(f"{big} is made from {source}, which is not there: set SYSCOPE_CAPTURES", file=sys.stderr)
            return 1
        big.parent.mkdir(parents=True, exist_ok=True)
        print(f"{big}: {make_big(source, big, EVENTS)} events made from {source}")
    compare.compare(str(big), ROUNDS)
    print()
    filters.report(big, ROUNDS)
    print()
    slow = dig.compare(str(big), ROUNDS)
    print()
    return key_latency.report(big) or slow


if __name__ == "__main__":
    sys.exit(main())
