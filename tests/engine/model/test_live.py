"""The tables of what lives behave as plain dictionaries do, whatever happens to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.events import FdKind
from engine.model.fds import Fds
from engine.model.live import Live
from engine.model.paths import joined

TIDS = st.sampled_from([1, 2, 3, 65536 + 1, 2**31 + 1, 2**40])
NUMBERS = st.sampled_from([*range(12), 16, 32, 48, 2**20, 2**31 - 2])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), TIDS, TIDS, st.booleans()),
        st.tuples(st.just("remove"), TIDS),
        st.tuples(st.just("put"), TIDS, NUMBERS, st.booleans()),
        st.tuples(st.just("drop"), TIDS, NUMBERS),
    ),
    max_size=120,
)


@given(STEPS)
def test_descriptors_are_found_where_they_were_put(steps: list[tuple[object, ...]]) -> None:
    fds = Fds()
    live = Live(fds)
    identity = fds.identity(FdKind.FILE, b"/x")
    processes: dict[int, dict[int, tuple[int, bool]]] = {}
    for number, step in enumerate(steps):
        match step:
            case ("add", int(tid), int(source), bool(sharing)):
                if sharing:
                    shared = processes[source] if source in processes and source != tid else {}
                    assert live.add(tid, number, sharing=source)
                    processes[tid] = shared
                else:
                    copied = dict(processes.get(source, {}))
                    assert live.add(tid, number, copying=source)
                    processes[tid] = copied
            case ("remove", int(tid)):
                live.remove(tid, number)
                processes.pop(tid, None)
            case ("put", int(tid), int(descriptor), bool(cloexec)) if tid in processes:
                row = fds.add(FdKind.FILE, identity)
                assert live.put_fd(tid, descriptor, row, cloexec, number)
                processes[tid][descriptor] = row, cloexec
            case ("drop", int(tid), int(descriptor)) if tid in processes:
                live.drop_fd(tid, descriptor, number)
                processes[tid].pop(descriptor, None)
        assert live.count == len(processes)
        for tid, process in processes.items():
            assert sorted(live.fds(tid)) == sorted((at, row, marked) for at, (row, marked) in process.items())
    fds.publish()
    open_rows = {row for process in processes.values() for row, _ in process.values()}
    for row, last in enumerate(fds.rows["last"]):
        assert row not in open_rows or last == -1


def test_a_row_ends_with_the_last_descriptor_that_stood_for_it() -> None:
    fds = Fds()
    live = Live(fds)
    row = fds.add(FdKind.FILE, fds.identity(FdKind.FILE, b"/x"))
    live.add(1, 0)
    live.put_fd(1, 3, row, False, 1)
    live.add(2, 1, copying=1)
    live.drop_fd(1, 3, 5)
    fds.publish()
    assert fds.rows["last"][row] == -1
    live.remove(2, 9)
    assert fds.rows["last"][row] == 9


@given(st.lists(st.tuples(st.sampled_from(list(FdKind)), st.binary(max_size=40)), max_size=60))
def test_an_identity_is_given_once(wanted: list[tuple[FdKind, bytes]]) -> None:
    fds = Fds()
    given_ids = [fds.identity(kind, name) for kind, name in wanted]
    assert [fds.identities[at][:2] for at in given_ids] == wanted
    assert len(set(given_ids)) == len(set(wanted)) == len(fds.identities)


@given(st.lists(st.sampled_from(["a", "bc", ".", "..", ""]), max_size=9), st.booleans())
def test_paths_are_folded_as_a_stack_of_names(parts: list[str], absolute: bool) -> None:
    stack = [] if absolute else ["base"]
    for part in parts:
        if part == "..":
            stack[-1:] = []
        elif part not in ("", "."):
            stack.append(part)
    path = ("/" if absolute else "") + "/".join(parts)
    if not absolute and path.startswith("/"):
        stack = joined(b"/", path.encode()).decode().strip("/").split("/") if path.strip("/") else []
        stack = [name for name in stack if name]
    assert joined(b"/base/", path.encode()) == b"/" + "/".join(stack).encode()


def test_a_path_too_long_is_said_to_be() -> None:
    assert joined(b"/", b"x" * 5000) == b"/PATH_TOO_LONG"
