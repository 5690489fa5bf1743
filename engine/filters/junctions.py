"""What joins the parts of a filter: all of them, any of them, none of one.

Operands are ordered by where they look, then, once there are figures, by what they cost and how much they decide; the
later ones are asked of what is left. What always or never holds is folded away, and terms that look at one place
become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.fields.field import Place
from engine.filters.plan import COST, Constant, Mask, Plan, Rows
from engine.filters.terms import Test, Tested, TypeTerm, of_types, term
from engine.store.segment import Segment
from engine.store.store import Store

_FEW = 8
"""When less than one in so many rows is undecided, only those are asked, also by what could ask all at once."""


class _Complement(Plan):
    """Holds where the other does not."""

    def __init__(self, operand: Plan) -> None:
        super().__init__()
        self.place = operand.place
        self.text = f"not ({operand.text})"
        self._operand = operand

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        return ~self._operand.mask(store, segment, rows)

    @property
    def way(self) -> str:
        """As of every plan."""
        return "none of" if self._operand.parts else self._operand.way

    @property
    def parts(self) -> Sequence[Plan]:
        """As of every plan."""
        return (self._operand,) if self._operand.parts else ()


class _Junction(Plan):
    """Holds where every operand does, or where any does."""

    def __init__(self, every: bool, operands: Sequence[Plan]) -> None:
        super().__init__()
        self.every = every
        self.operands = sorted(operands, key=lambda plan: COST[plan.place])
        self.place = self.operands[-1].place
        self.text = (" and " if every else " or ").join(operand.text for operand in operands)

    def _mask(self, store: Store, segment: Segment, rows: Rows) -> Mask:
        self.operands.sort(key=lambda plan: plan.burden(self.every))
        held = self.operands[0].mask(store, segment, rows)
        for operand in self.operands[1:]:
            if not decide(operand, self.every, held, store, segment, rows):
                break
        return held

    def possible(self, store: Store, segment: Segment) -> bool:
        """As of every plan."""
        found = (operand.possible(store, segment) for operand in self.operands)
        return all(found) if self.every else any(found)

    @property
    def way(self) -> str:
        """As of every plan."""
        return "all of" if self.every else "any of"

    @property
    def parts(self) -> Sequence[Plan]:
        """As of every plan."""
        return sorted(self.operands, key=lambda plan: plan.burden(self.every))


def decide(plan: Plan, every: bool, held: Mask, store: Store, segment: Segment, rows: Rows) -> bool:
    """Ask one more operand of ``and`` (every) or ``or``, and change to its answer what those before left undecided in
    ``held``, one entry for each of the rows. False when they left nothing."""
    undecided = held if every else ~held
    left = int(np.count_nonzero(undecided))
    if not left:
        return False
    if plan.place is Place.LATE or left * _FEW < len(held):
        chosen = np.flatnonzero(undecided)
        held[chosen] = plan.mask(store, segment, chosen if rows is None else rows[chosen])
    elif every:
        held &= plan.mask(store, segment, rows)
    else:
        held |= plan.mask(store, segment, rows)
    return True


def negated(operand: Plan) -> Plan:
    """The complement of a plan."""
    text = f"not ({operand.text})"
    match operand:
        case Constant():
            return Constant(not operand.held, text)
        case TypeTerm():
            return TypeTerm(~operand.answers, text)
        case Tested():
            test = operand.test
            return term(
                operand.place,
                lambda rows, store: [not held for held in test(rows, store)],
                text,
                passing=operand.passing,
            )
        case _:
            return _Complement(operand)


def joined(every: bool, operands: Iterable[Plan]) -> Plan:
    """All or any of the operands. Terms that look at one place become one, answered together; what always or never
    holds decides here or is left out."""
    by_place: dict[Place, list[Plan]] = {}
    parts: list[Plan] = []
    flat = (part for operand in operands for part in _operands(operand, every))
    for operand in {part.text: part for part in flat}.values():
        if isinstance(operand, TypeTerm | Tested):
            by_place.setdefault(operand.place, []).append(operand)
        else:
            parts.append(operand)
    parts += (_merged(every, terms) for terms in by_place.values())
    deciding = [part for part in parts if isinstance(part, Constant) and part.held is not every]
    if deciding:
        return deciding[0]
    open_parts = [part for part in parts if not isinstance(part, Constant)]
    if not open_parts:
        return parts[0]
    return open_parts[0] if len(open_parts) == 1 else _Junction(every, open_parts)


def _operands(plan: Plan, every: bool) -> Sequence[Plan]:
    """The operands of a junction of that kind, else the plan itself."""
    return plan.operands if isinstance(plan, _Junction) and plan.every is every else (plan,)


def _merged(every: bool, terms: Sequence[Plan]) -> Plan:
    """One term for all or any of some that look at one place."""
    if len(terms) == 1:
        return terms[0]
    text = " and ".join(one.text for one in terms) if every else f"({' or '.join(one.text for one in terms)})"
    if terms[0].place is Place.TYPE:
        answers = np.array([one.answers for one in terms if isinstance(one, TypeTerm)])
        return of_types((np.logical_and if every else np.logical_or).reduce(answers), text)
    tested = [one for one in terms if isinstance(one, Tested)]
    passing = any(one.passing for one in tested)
    return term(terms[0].place, _together(every, [one.test for one in tested]), text, passing=passing)


def _together(every: bool, tests: Sequence[Test]) -> Test:
    first, *others = tests

    def test(subjects: Sequence[Any], store: Store) -> Sequence[bool]:
        held = list(first(subjects, store))
        # A loop and no recursion: nesting may be deep, and each level must cost one frame.
        for asked in others:
            undecided = [place for place, answer in enumerate(held) if answer is every]
            answers = asked([subjects[place] for place in undecided], store)
            for place, answer in zip(undecided, answers, strict=True):
                held[place] = answer
        return held

    return test
