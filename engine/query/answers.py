"""The answers to requests: what is computed for a table, for event lines, for a filter being typed.

Owns how a request becomes a snapshot. When, and on which thread, is the session's business.
"""

from __future__ import annotations

from dataclasses import replace

from engine import filters
from engine.fields import UnknownField
from engine.filters.completion import Completion, complete
from engine.filters.macros import user_macros
from engine.filters.presence import Presence
from engine.filters.saved import field_uses
from engine.query import texts
from engine.query.compare import Comparison, NotComparable
from engine.query.compose import compose
from engine.query.payload import Shape
from engine.query.snapshots import (
    CompletionRequest,
    CompletionSnapshot,
    LinesRequest,
    LinesSnapshot,
    Request,
    Snapshot,
    TableRequest,
    TableSnapshot,
    VerdictRequest,
    VerdictSnapshot,
)
from engine.query.table import Table, TableRun
from engine.query.texts import Texts
from engine.query.view import Kind
from engine.query.work import PanelSnapshot, SupersededError, Work
from engine.store.segment import Window
from engine.text import safe
from engine.user_files import ConfigError


def answer(request: Request, work: Work) -> Snapshot | None:
    """The answer to a request; None when a newer one has taken its place."""
    try:
        match request:
            case TableRequest():
                return _table(request, work)
            case LinesRequest():
                return _lines(request, work)
            case VerdictRequest():
                return _verdict(request, work)
            case CompletionRequest():
                return _completion(request, work)
            case _:
                return request.answer(work)
    except SupersededError:
        return None
    except (filters.FilterError, UnknownField, NotComparable) as error:
        return _failed(request, str(error), getattr(error, "position", 0))
    except Exception as error:  # one panel's failure is shown in that panel; the others keep working
        return _failed(request, f"{type(error).__name__}: {error}", 0)


def is_partial(snapshot: Snapshot) -> bool:
    """True when answering the same request again says more."""
    match snapshot:
        case LinesSnapshot() | PanelSnapshot():
            return not snapshot.complete
        case CompletionSnapshot():
            return not snapshot.completion.complete
        case _:
            return False


def window_of(request: TableRequest, work: Work) -> Window | None:
    """What a table is computed over: live, the last whole interval unless asked otherwise; lists are added to."""
    return work.latest if request.window is None and request.view.kind is Kind.TABLE else request.window


def table_of(request: TableRequest, work: Work) -> Table:
    """The whole table a request is about. Raises SupersededError when given up."""
    filter_text = compose(request.filter, request.levels, request.view)
    window = window_of(request, work)
    # Of a live source's intervals only the last one is worth keeping.
    run = work.keep(
        TableRun, (request.view, filter_text, request.containers, request.window),
        lambda: TableRun(work.store, request.view, filter_text, containers=request.containers, window=window),
    )  # fmt: skip
    run.over(window)
    besides = compose(request.filter, request.levels, None)
    if not run.update(work.given_up, work.masks(besides) if besides else None):
        raise SupersededError
    if request.against is None:
        return run.table(request.sort, request.descending, request.text, work.check)
    before = table_of(replace(request, window=request.against, against=None, sort=None, text=""), work)
    comparison = work.keep(Comparison, (), Comparison)
    return comparison.table(
        before, run.table(), request.measure, request.sort, request.descending, request.text, work.check
    )


def _table(request: TableRequest, work: Work) -> TableSnapshot:
    filter_text = compose(request.filter, request.levels, request.view)
    table = table_of(request, work)
    held = None if request.hold is None else table.index_of(request.hold)
    found = None
    if request.search:
        found = table.find(request.search, request.search_from, request.search_backwards, work.check)
    offset = _first(request.offset, request.count, table.total)
    return TableSnapshot(
        request=request,
        columns=table.columns,
        key_field=table.key_field,
        sort=table.sort,
        descending=table.descending,
        rows=table.page(offset, request.count),
        offset=offset,
        total=table.total,
        held=held,
        found=found,
        filter=filter_text,
        coverage=work.coverage(window_of(request, work), filter_text),
    )


def _first(offset: int, count: int, total: int) -> int:
    """The row a page begins with: where there are no more as many as that, the page is the last one."""
    return max(0, offset if offset < total else total - count)


def texts_of(request: LinesRequest, work: Work, *, whole: bool) -> Texts:
    """The lines a request is about, counted as far as it wants or whole. Raises SupersededError when given up."""
    filter_text = _lines_filter(request)
    matches = work.matches(filter_text, request.window)
    looks = (request.shape, request.view_as, request.containers, request.latency)
    # Another text takes the place of the one before, as it does while it is typed.
    lines = work.keep(Texts, (matches, looks, bool(request.text)), lambda: Texts(matches, texts.maker(*looks)))
    lines.keep(request.text)
    # The first lines are shown as soon as there are any.
    until = request.offset + request.count if request.offset else 1
    if not lines.update(2**62 if whole else until, work.given_up):
        raise SupersededError
    return lines


def _lines_filter(request: LinesRequest) -> str:
    own = "" if request.shape is Shape.DIG else texts.ECHOED
    return filters.combine(compose(request.filter, request.levels, None), own)


def _lines(request: LinesRequest, work: Work) -> LinesSnapshot:
    lines = texts_of(request, work, whole=bool(request.search))
    found = None
    if request.search:
        found = lines.find(request.search, request.search_from, request.search_backwards, work.given_up)
        work.check()
    offset = request.offset
    if request.event:
        found = lines.line_of(request.event, work.given_up)
        work.check()
        offset = found - request.count // 2
        lines.update(offset + request.count, work.given_up)
    offset = _first(offset, request.count, len(lines))
    page = list(lines.page(offset, request.count))
    return LinesSnapshot(
        request=request,
        lines=tuple(text for _, (_, text) in page),
        offset=offset,
        total=len(lines),
        found=found,
        filter=_lines_filter(request),
        tones=tuple(tone for _, (tone, _) in page),
        numbers=tuple(number for number, _ in page),
        complete=lines.complete,
        coverage=work.coverage(request.window, _lines_filter(request)),
    )


def _verdict(request: VerdictRequest, work: Work) -> VerdictSnapshot:
    if request.filter.strip():
        # Positions of errors are those of the text as typed, not of the composed one.
        filters.compile(request.filter)
    kept = work.matches(compose(request.filter, request.levels, None), request.window)
    of = work.matches(compose("", request.levels, None), request.window)
    return VerdictSnapshot(request, kept=len(kept), of=len(of))


def _completion(request: CompletionRequest, work: Work) -> CompletionSnapshot:
    presence = work.keep(Presence, (), lambda: Presence(work.store))
    uses = field_uses(request.recent)
    return CompletionSnapshot(request, complete(request.filter, request.cursor, presence, macros=_macros(), uses=uses))


def _macros() -> dict[str, str]:
    try:
        return dict(user_macros())
    except ConfigError:  # told where a filter has a name in it, and at start
        return {}


def _failed(request: Request, message: str, position: int) -> Snapshot:
    """The answer that says why there is none."""
    text = safe(message.encode("utf-8", "surrogateescape"))
    match request:
        case TableRequest():
            return TableSnapshot(request, (), "", None, False, (), 0, 0, None, None, request.filter, text)
        case LinesRequest():
            return LinesSnapshot(request, (), 0, 0, None, request.filter, text)
        case VerdictRequest():
            return VerdictSnapshot(request, error=text, position=position)
        case CompletionRequest():
            nothing = Completion(request.cursor, request.cursor, (), "", complete=True)
            return CompletionSnapshot(request, nothing, text)
        case _:
            return request.failed(text)
