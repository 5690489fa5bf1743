"""Lines of events: which there are, where each event's begin, what is searched and left out."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from engine import filters
from engine.decode.event import Event
from engine.query import texts
from engine.query.lines import NOT_INTERNAL
from engine.query.matches import Matches
from engine.query.payload import ViewAs, lines
from engine.query.texts import ECHOED, Texts
from tests.engine.decode.decoded import Machine
from tui.reading import Reading

READ = 7
FOREVER = 2**62


@pytest.fixture(scope="module")
def echoed() -> Iterator[Matches]:
    """The reads and writes of the bundled capture."""
    with Reading(Path(str(files("tui").joinpath("demo.scap.gz")))) as reading:
        for _ in reading:
            pass
        matches = Matches(reading.store, filters.combine(ECHOED, NOT_INTERNAL))
        matches.update()
        yield matches


def counted(matches: Matches, view_as: ViewAs, text: str = "") -> Texts:
    made = Texts(matches, texts.echo(view_as))
    made.keep(text)
    assert made.update(FOREVER, lambda: False)
    return made


@pytest.mark.parametrize("view_as", ViewAs)
def test_pages_of_any_size_are_parts_of_the_same_lines(echoed: Matches, view_as: ViewAs) -> None:
    made = counted(echoed, view_as)
    whole = list(made.page(0, 400))
    assert len(whole) == 400
    for start, count in ((0, 7), (13, 1), (57, 90), (399, 1)):
        assert list(made.page(start, count)) == whole[start : start + count]
    assert list(made.page(len(made) - 2, 9)) == list(made.page(0, FOREVER))[-2:]


def test_every_read_and_write_has_a_head_and_its_payload(echoed: Matches) -> None:
    made = counted(echoed, ViewAs.DOTTED)
    heads = [line for _, (tone, line) in made.page(0, FOREVER) if tone == texts.HEAD]
    assert len(heads) == len(echoed)
    assert all(" Read " in head or " Wrote " in head for head in heads)
    tones = {tone for _, (tone, _) in made.page(0, FOREVER)}
    assert tones == {texts.HEAD, texts.READ, texts.WRITE, texts.PLAIN}


def test_a_text_leaves_the_events_that_show_it(echoed: Matches) -> None:
    made = counted(echoed, ViewAs.PRINTABLE, "get /")
    numbers = {number for number, _ in made.page(0, FOREVER)}
    everything = counted(echoed, ViewAs.PRINTABLE)
    holding = {number for number, (_, line) in everything.page(0, FOREVER) if "get /" in line.casefold()}
    assert numbers == holding != set()


def test_no_event_is_read_that_has_no_line_on_the_page(echoed: Matches, monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(echoed, ViewAs.PRINTABLE, "get /")
    wanted = list(made.page(0, FOREVER))
    read: list[int] = []
    at = Matches.at

    def reading(self: Matches, index: int) -> Event:
        read.append(index)
        return at(self, index)

    monkeypatch.setattr(Matches, "at", reading)
    assert list(made.page(0, FOREVER)) == wanted
    assert len(read) == len({number for number, _ in wanted}) < len(echoed)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_search_goes_round_line_by_line(echoed: Matches, backwards: bool) -> None:
    made = counted(echoed, ViewAs.PRINTABLE)
    shown = [line for _, (_, line) in made.page(0, FOREVER)]
    hits = [at for at, line in enumerate(shown) if "HTTP/1.1" in line]
    at = hits[0]
    found = []
    for _ in hits:
        step = -1 if backwards else 1
        at = made.find("http/1.1", (at + step) % len(made), backwards, lambda: False) or 0
        found.append(at)
    expected = hits[1:] + hits[:1]
    assert found == (list(reversed(hits)) if backwards else expected)


@pytest.mark.parametrize("view_as", ViewAs)
@pytest.mark.parametrize("text", ["", "GET", "nothing of the kind"])
def test_event_lines_are_found_and_left_out_as_they_read(echoed: Matches, view_as: ViewAs, text: str) -> None:
    """Those of many events are looked through together; one by one they say the same."""
    maker = texts.dig(view_as, containers=False, latency=view_as is ViewAs.HEX)
    of_each = [maker.lines(echoed.at(index)) for index in range(len(echoed))]
    shown = [
        line.casefold()
        for lines in of_each
        if any(text.casefold() in line.casefold() for _, line in lines)
        for _, line in lines
    ]
    made = Texts(echoed, maker)
    for each in ("e", text):
        made.keep(each)
        assert made.update(FOREVER, lambda: False)
    assert [line.casefold() for _, (_, line) in made.page(0, FOREVER)] == shown
    for wanted in ("/1.1", "read", "0d 0a", "<", "€"):
        hits = [at for at, line in enumerate(shown) if wanted in line]
        for start in {0, len(shown) // 3, len(shown) - 1, *hits[:2]}:
            after = [at for at in hits if at >= start] + hits
            before = [at for at in hits[::-1] if at <= start] + hits[::-1]
            assert made.find(wanted, start, False, lambda: False) == (after[0] if after else None)
            assert made.find(wanted, start, True, lambda: False) == (before[0] if before else None)


def test_only_events_with_lines_count_towards_the_most_there_may_be(
    echoed: Matches, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Texts(echoed, texts.dig(ViewAs.DOTTED, containers=False, latency=False))
    lines = [line for _, (_, line) in made.page(0, FOREVER)]
    rare = lines[-1].split()[1]
    monkeypatch.setattr(texts, "MOST_EVENTS", 3)
    made.keep(rare)
    assert made.update(FOREVER, lambda: False)
    assert [line for _, (_, line) in made.page(0, FOREVER)] == [line for line in lines if rare in line] == lines[-1:]


def test_counting_goes_on_where_it_stopped(echoed: Matches) -> None:
    made = Texts(echoed, texts.echo(ViewAs.DOTTED))
    assert not made.update(FOREVER, lambda: True)
    begun = len(made)
    assert begun > 0
    assert not made.complete
    assert made.update(FOREVER, lambda: False)
    assert made.complete
    assert list(made.page(0, 50)) == list(counted(echoed, ViewAs.DOTTED).page(0, 50))


def test_payload_looks_as_asked() -> None:
    raw = b"GET /\r\n\x1b[2J\xc3\xa9\x00end"
    assert lines(raw, ViewAs.DOTTED) == ["GET /...[2J...end"]
    assert lines(raw, ViewAs.PRINTABLE) == ["GET /", "[2Jéend"]
    first, second = lines(raw, ViewAs.HEX)
    assert first.startswith("  000000  47 45 54 20 2f 0d 0a 1b  5b 32 4a c3 a9 00 65 6e  ")
    assert first.endswith("GET /...[2J...en")
    assert second.split() == ["000010", "64", "d"]
    assert first.index("GET") == second.rindex("d")


@pytest.mark.parametrize("view_as", ViewAs)
def test_the_lines_of_an_event_are_found_by_its_number(echoed: Matches, view_as: ViewAs) -> None:
    made = Texts(echoed, texts.echo(view_as))
    for index in (0, 7, len(echoed) // 2, len(echoed) - 1):
        number = echoed.at(index).number
        line = made.line_of(number, lambda: False)
        assert next(made.page(line, 1))[0] == number
        assert line == 0 or next(made.page(line - 1, 1))[0] < number
    assert made.line_of(FOREVER, lambda: False) == len(made) - 1


def test_a_thread_nothing_is_known_of_is_told_by_its_number() -> None:
    event = Machine().happens(READ, 99, res=3, data=b"abc")
    assert texts.echo(ViewAs.DOTTED).lines(event)[0][1].endswith("(thread 99)")
