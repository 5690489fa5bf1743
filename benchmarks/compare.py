"""Compare the whole program with sysdig and csysdig on a big capture.

    python -m benchmarks.compare BIG [--rounds N]

Prints medians of interleaved runs and their ratios: reading the file and printing the files view, against csysdig
doing the same and against sysdig with a filter that keeps nothing; then, with the file open in one process, what
each further question costs, against csysdig, which reads the file again for each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import interleaved

MIB = 1 << 20


def compare(big: str, rounds: int) -> None:
    """Measure and print."""
    commands = {
        "tui view files": [sys.executable, "-m", "tui.cli", "view", "files", "-r", big, "--json"],
        "csysdig files": ["csysdig", "-r", big, "--raw", "-v", "files"],
        "sysdig, keeps nothing": ["sysdig", "-r", big, "proc.name=zzz"],
    }
    print(f"{big}, medians of {rounds} interleaved runs\n")
    runs = interleaved(commands, rounds)
    print(f"{'':24}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}")
    for name, run in runs.items():
        print(f"{name:24}{run.wall:9.2f}{run.cpu:9.2f}{run.peak / MIB:10.0f}")
    ours, csysdig, sysdig = runs.values()
    steps = json.loads(subprocess.check_output([sys.executable, "-m", "benchmarks.steps", big]))
    events = steps["events"]
    print(f"\n{'ratio of ours':34}{'wall':>9}{'CPU':>9}")
    print(f"{'to csysdig':34}{ours.wall / csysdig.wall:9.2f}{ours.cpu / csysdig.cpu:9.2f}   (at most 0.80)")
    print(f"{'to sysdig':34}{ours.wall / sysdig.wall:9.2f}{ours.cpu / sysdig.cpu:9.2f}   (at most 2.00)")
    print(f"\n{events} events; bytes an event: {ours.peak / events:.1f} at the peak of `tui view files`, open for")
    print(f"questions {steps['memory'] / events:.1f} of which raw records {steps['raw'] / events:.1f}")
    print(f"\n{'file open, next question':34}{'ms':>9}{'times faster than csysdig (at least 12)':>42}")
    for name, seconds in steps["steps"].items():
        print(f"{name:34}{seconds * 1000:9.1f}{csysdig.wall / seconds:42.0f}")


def main() -> int:
    """Command line, see the module's text."""
    parser = argparse.ArgumentParser(description="Compare with sysdig and csysdig on a big capture.")
    parser.add_argument("big", type=Path)
    parser.add_argument("--rounds", type=int, default=5, help="counted runs of each command (5)")
    asked = parser.parse_args()
    compare(str(asked.big), asked.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
