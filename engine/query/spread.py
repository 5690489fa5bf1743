"""Distributions: how many samples of each group fell into each bucket, and what is read off that.

Buckets are log-linear, 64 to a doubling, so that the samples of one differ by less than ``ERROR``; numbers below 128
have one each. Counts of buckets simply add up: over segments, and over groups that are merged into a row. What is kept
is one entry for each bucket that occurs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.decode.kernels import Distinct, buckets
from engine.query.growing import Growing

ERROR = 1 / 64
"""Most that a percentile may be off, as a part of it: it is the mean of the samples in its bucket."""
DIGITS = 13
"""Entries of a histogram: samples of one digit (0 to 9), two, and so on; the last has all the longer ones."""
_BUCKET = 12
"""Bits of a bucket's number, below those of the group."""


class Spread:
    """The distribution of one number by group."""

    def __init__(self) -> None:
        """Begin without samples."""
        self._pairs = Distinct()
        self._counts = Growing(np.int64)
        self._sums = Growing(np.float64)

    def add(
        self,
        values: NDArray[np.int64],
        present: NDArray[np.bool_],
        index: NDArray[np.int32],
        table: NDArray[np.int32],
    ) -> None:
        """Take in the samples that are there; the group of sample i is ``table[index[i]]``, negative for none."""
        pairs, used = buckets(values, present, index, table)
        if not used.any():
            return
        places = self._pairs.number(pairs, used)[used]
        count = len(self._pairs.values)
        fresh = count - len(self._counts)
        self._counts.extend(np.zeros(fresh, np.int64))
        self._sums.extend(np.zeros(fresh))
        self._counts.values[:] += np.bincount(places, minlength=count)
        self._sums.values[:] += np.bincount(places, values[used], count)

    def _merged(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Row, samples, mean and lowest number of each bucket, ascending by row and then bucket. ``rows`` gives the
        row of each group, negative for none."""
        groups = self._pairs.values >> _BUCKET
        mine = np.full(len(groups), -1, np.int64)
        mine[groups < len(rows)] = rows[groups[groups < len(rows)]]
        kept = mine >= 0
        pairs = (mine[kept] << _BUCKET) | (self._pairs.values[kept] & ((1 << _BUCKET) - 1))
        unique, places = np.unique(pairs, return_inverse=True)
        counts = np.bincount(places, self._counts.values[kept], len(unique)).astype(np.int64)
        means = np.bincount(places, self._sums.values[kept], len(unique)) / np.maximum(counts, 1)
        bucket = unique & ((1 << _BUCKET) - 1)
        shift = np.maximum(bucket // 64 - 1, 0)
        lowest = (bucket - 64 * shift) << shift
        return unique >> _BUCKET, counts, means, lowest

    def percentile(
        self, rows: NDArray[np.int64], count: int, percent: int
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The percentile of each of ``count`` rows by nearest rank, and where there are samples."""
        row, counts, means, _ = self._merged(rows)
        totals = np.bincount(row, counts, count).astype(np.int64)
        known = totals > 0
        values = np.zeros(count)
        # Ranks over all rows in one sequence: a row's begin after those of the rows before.
        ranks = np.cumsum(totals) - totals + np.maximum(-(-totals * percent // 100), 1)
        values[known] = means[np.searchsorted(np.cumsum(counts), ranks[known])]
        return values, known

    def histogram(self, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Samples of each row by number of digits, shape (count, DIGITS); a bucket counts as its lowest number."""
        row, counts, _, lowest = self._merged(rows)
        digits = np.searchsorted(10 ** np.arange(1, DIGITS, dtype=np.int64), lowest, side="right")
        found: NDArray[np.int64] = np.bincount(row * DIGITS + digits, counts, count * DIGITS).astype(np.int64)
        return found.reshape(count, DIGITS)
