"""Compare `tui dig` with sysdig on a big capture: lines, JSON, a chisel, the summary.

    python -m benchmarks.dig BIG [--rounds N]

Prints medians of interleaved runs, the ratio of wall times for each, what it may be at most, and that of CPU times;
exit status 1 when one is above. BIG is made by ``benchmarks.make_big`` and has 15 million events or more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.measure import interleaved

MIB = 1 << 20
STEPS = {
    "a million lines": (["-n", "1000000"], 1.5),
    "a million JSON objects": (["-n", "1000000", "-j"], 1.0),
    "-c topfiles_bytes": (["-c", "topfiles_bytes"], 1.0),
    "-S -q": (["-S", "-q"], 1.6),
}
"""What is run with both, and our wall time as a ratio to sysdig's at most."""


def compare(big: str, rounds: int) -> int:
    """Measure and print; 1 when a ratio is above its limit."""
    commands = {}
    for name, (words, _) in STEPS.items():
        commands[f"tui dig {name}"] = [sys.executable, "-m", "tui.cli", "dig", "-r", big, *words]
        commands[f"sysdig {name}"] = ["sysdig", "-r", big, *words]
    runs = interleaved(commands, rounds)
    print(f"{big}, medians of {rounds} interleaved runs\n")
    print(f"{'':26}{'wall s':>9}{'sysdig':>9}{'ratio':>8}{'at most':>9}{'CPU':>7}{'peak MiB':>10}{'sysdig':>9}")
    above = False
    for name, (_, limit) in STEPS.items():
        ours, theirs = runs[f"tui dig {name}"], runs[f"sysdig {name}"]
        ratio = ours.wall / theirs.wall
        above |= ratio > limit
        print(
            f"{name:26}{ours.wall:9.2f}{theirs.wall:9.2f}{ratio:8.2f}{limit:9.2f}{ours.cpu / theirs.cpu:7.2f}", end=""
        )
        print(f"{ours.peak / MIB:10.0f}{theirs.peak / MIB:9.0f}")
    return int(above)


def main() -> int:
    """Command line, see the module's text."""
    parser = argparse.ArgumentParser(description="Compare tui dig with sysdig on a big capture.")
    parser.add_argument("big", type=Path)
    parser.add_argument("--rounds", type=int, default=3, help="counted runs of each command (3)")
    asked = parser.parse_args()
    return compare(str(asked.big), asked.rounds)


if __name__ == "__main__":
    sys.exit(main())
