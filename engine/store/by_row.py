"""Something of each row of a table that only grows, worked out when it is asked for.

A table has rows of long ago that no event of a window points at; what is asked of the window must not cost more for
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.model.fds import Fds

Values = Callable[[Sequence[Any]], Iterable[Any]]
"""Makes the values of items of the table, one each."""
Span = tuple[int, int, bool]
"""First and last row that a column points at, and whether some of its events point at none."""
_FEW = 1 / 8
"""When no more rows are unknown than this part of a column's events, they are not looked for among those; when no more
are asked about than this part of the table, they are sorted."""
_NOTHING = np.empty(0, np.intp)


class ByRow:
    """Values by row. The last entry is that of events without a row; entries of rows not asked for say nothing."""

    def __init__(self, dtype: DTypeLike, absent: object) -> None:
        """Begin without any; ``absent`` is the last entry."""
        self._absent = absent
        self._values: NDArray[Any] = np.zeros(64, dtype)
        self._known = np.zeros(64, np.bool_)
        self._first_unknown = 0
        """All rows before it are known, though it may be known as well."""

    def of(
        self,
        items: Sequence[Any],
        column: NDArray[Any],
        span: Span,
        values: Values,
        mask: NDArray[np.bool_] | None = None,
    ) -> NDArray[Any]:
        """Values of the rows that a segment's events point at, those at least that ``mask`` keeps."""
        rows = self.unknown(len(items), column, span, mask)
        if len(rows):
            self.put(rows, _made(items, rows, values, self._values.dtype))
        return self.values(len(items))

    def at(self, items: Sequence[Any], rows: NDArray[Any], values: Values) -> NDArray[Any]:
        """Values of given rows."""
        self._reach(len(items))
        unknown = rows[~self._known[rows]]
        if len(unknown) > _FEW * len(items):
            wanted = np.zeros(len(items), np.bool_)
            wanted[unknown] = True
            unknown = np.flatnonzero(wanted)
        else:
            unknown = np.unique(unknown)
        if len(unknown):
            self.put(unknown, _made(items, unknown, values, self._values.dtype))
        return self.values(len(items))

    def unknown(
        self, count: int, column: NDArray[Any], span: Span, mask: NDArray[np.bool_] | None = None
    ) -> NDArray[np.intp]:
        """Rows to work out for a segment, ascending, of a table that has ``count`` by now."""
        self._reach(count)
        first, last, _ = span
        begins = first <= self._first_unknown
        first = max(first, self._first_unknown)
        known = self._known[first : last + 1]
        if known.all():
            if begins:
                self._first_unknown = max(self._first_unknown, last + 1)
            return _NOTHING
        unknown = ~known
        if np.count_nonzero(unknown) > _FEW * len(column):
            wanted = column if mask is None else column[mask]
            seen = np.zeros(len(unknown), np.bool_)
            seen[wanted[wanted >= first] - first] = True
            unknown &= seen
        return np.flatnonzero(unknown) + first

    def put(self, rows: NDArray[np.intp] | slice, values: NDArray[Any]) -> None:
        """Keep what was worked out for some rows."""
        self._values[rows] = values
        self._known[rows] = True

    def values(self, count: int) -> NDArray[Any]:
        """By row, and the entry of absence after the first ``count``."""
        self._reach(count)
        self._values[count] = self._absent
        return self._values[: count + 1]

    def _reach(self, count: int) -> None:
        have = len(self._known)
        if count < have:
            return
        values, known = self._values, self._known
        self._values, self._known = np.zeros(2 * count, values.dtype), np.zeros(2 * count, np.bool_)
        self._values[:have], self._known[:have] = values, known


class ByFdRow(ByRow):
    """Values by row of the fds' table, each worked out once for an identity."""

    def __init__(self, dtype: DTypeLike, absent: object) -> None:
        """Begin without any."""
        super().__init__(dtype, absent)
        self._of_identity = ByRow(dtype, absent)
        self._worked_out = 0

    def of_fds(
        self, fds: Fds, column: NDArray[Any], span: Span, values: Values, mask: NDArray[np.bool_] | None = None
    ) -> NDArray[Any]:
        """As ``of``; ``values`` makes those of identities."""
        # Identities are asked for after the rows were taken, so that they cover every one the rows name.
        identity = fds.rows["identity"]
        rows = self.unknown(len(identity), column, span, mask)
        if len(rows):
            # Those that follow as well, up to as many again as were worked out: segments in a row become fewer pieces.
            self._worked_out += len(rows)
            following = slice(span[1] + 1, min(span[1] + 1 + self._worked_out, len(identity)))
            self._worked_out += following.stop - following.start
            for part in (rows, following):
                named = identity[part]
                self.put(part, self._of_identity.at(fds.identities, named, values)[named])
        return self.values(len(identity))


def _made(items: Sequence[Any], rows: NDArray[np.intp], values: Values, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.fromiter(values([items[row] for row in rows.tolist()]), dtype, len(rows))
