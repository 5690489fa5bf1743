"""What calls change of threads (state-tracking §3)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.decode.event import Event
from engine.events import FLAG_TABLES, FdKind
from engine.model.facts import Thread
from tests.engine.decode.decoded import Machine, listed

CLONE, EXECVE_ENTER, EXECVE, EXIT = 223, 292, 293, 186
CHDIR, FCHDIR, GETCWD, SETUID, SETRESUID, SETSID, PRCTL = 95, 97, 93, 199, 193, 275, 401
READ_ENTER, READ, GETPID = 6, 7, 0
CLONE_FILES, CLONE_THREAD, CLOEXEC = 1, 8192, 4096
CLONE_PARENT = dict(FLAG_TABLES["clone_flags"])["CLONE_PARENT"]
OPENAT = 307


def thread_of(event: Event) -> Thread:
    assert event.thread is not None
    return event.thread


def parent_of(seen: Machine, event: Event) -> Thread:
    return seen.store.threads[thread_of(event).parent]


def forks(seen: Machine, parent: int, child: int, **facts: Any) -> None:
    """Both sides of a clone."""
    told = {"exe": "/bin/app", "comm": "app", "uid": 0, "gid": 0, "flags": 0, **facts}
    seen.happens(CLONE, parent, res=child, tid=parent, pid=parent, vtid=parent, vpid=parent, **told)
    seen.happens(CLONE, child, res=0, tid=child, pid=child, ptid=parent, vtid=child, vpid=child, **told)


def executes(seen: Machine, tid: int, comm: str, **facts: Any) -> Event:
    told = {"exe": comm, "comm": comm, "tid": tid, "pid": tid, **facts}
    return seen.happens(EXECVE, tid, res=0, **told)


def test_a_thread_nobody_told_of_has_no_facts() -> None:
    unknown = thread_of(Machine().happens(READ_ENTER, 77, fd=0, size=1))
    assert (unknown.tid, unknown.pid, unknown.comm) == (77, -1, None)


def test_a_child_inherits_directory_and_fds() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    forks(seen, 10, 20)
    read = seen.happens(READ_ENTER, 20, fd=3, size=1)
    assert read.fd is not None and read.fd.name == b"/x"
    child = thread_of(read)
    assert (child.pid, child.ptid, child.cwd, parent_of(seen, read).tid) == (20, 10, b"/home/", 10)


@pytest.mark.parametrize("order", ["maker first", "child first"])
def test_a_child_made_for_the_makers_parent_has_what_its_maker_had(order: str) -> None:
    seen = Machine(listed(10))
    forks(seen, 10, 20)
    seen.happens(CHDIR, 20, res=0, path="/made")
    told: dict[str, Any] = {"exe": "/bin/app", "comm": "app", "uid": 0, "gid": 0, "flags": CLONE_PARENT, "ptid": 10}
    seen.happens(CLONE - 1, 20)
    if order == "maker first":
        seen.happens(CLONE, 20, res=30, tid=20, pid=20, vtid=20, vpid=20, **told)
    seen.happens(CLONE, 30, res=0, tid=30, pid=30, vtid=30, vpid=30, **told)
    child = thread_of(seen.happens(READ_ENTER, 30, fd=3, size=1))
    assert (child.ptid, child.cwd) == (10, b"/made/")


def test_what_a_child_closes_its_parent_keeps() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 3, FdKind.FILE, b"/x")
    forks(seen, 10, 20)
    seen.happens(5, 20, res=0, fd=3)
    assert seen.happens(READ_ENTER, 10, fd=3, size=1).fd is not None


def test_threads_share_the_fds_of_their_process() -> None:
    seen = Machine(listed(10))
    flags = CLONE_THREAD | CLONE_FILES
    seen.happens(CLONE, 10, res=11, exe="app", comm="app", tid=10, pid=10, ptid=1, flags=flags, vtid=10, vpid=10)
    seen.happens(OPENAT, 11, fd=3, dirfd=-100, name="a", flags=1)
    read = seen.happens(READ_ENTER, 10, fd=3, size=1)
    assert read.fd is not None and read.fd.name == b"/home/a"
    worker = thread_of(seen.happens(READ_ENTER, 11, fd=3, size=1))
    assert (worker.pid, seen.store.threads[worker.leader].tid) == (10, 10)


def test_exec_replaces_the_program_for_its_own_event_and_later_ones_only() -> None:
    seen = Machine(listed(10, b"old"))
    before = seen.happens(EXECVE_ENTER, 10, filename="/bin/new")
    after = executes(seen, 10, "new", trusted_exepath="/bin/new")
    assert (thread_of(before).comm, thread_of(after).comm, thread_of(after).exepath) == (b"old", b"new", b"/bin/new")


def test_a_failed_exec_changes_nothing() -> None:
    seen = Machine(listed(10, b"old"))
    assert thread_of(seen.happens(EXECVE, 10, res=-2, exe="new", comm="new")).comm == b"old"


def test_exec_closes_what_is_marked_for_it() -> None:
    seen = Machine(listed(10))
    seen.happens(OPENAT, 10, fd=3, dirfd=-100, name="kept", flags=1)
    seen.happens(OPENAT, 10, fd=4, dirfd=-100, name="closed", flags=1 | CLOEXEC)
    executes(seen, 10, "new")
    known = [seen.happens(READ_ENTER, 10, fd=number, size=1).fd is not None for number in (3, 4)]
    assert known == [True, False]


def test_exec_ends_the_other_threads_of_the_process() -> None:
    seen = Machine(listed(10), listed(11, pid=10))
    executes(seen, 10, "new")
    assert thread_of(seen.happens(READ_ENTER, 11, fd=0, size=1)).pid == -1


def test_a_process_is_kept_by_its_main_thread_when_another_of_its_threads_executes() -> None:
    seen = Machine(listed(10), listed(11, pid=10), listed(12, pid=10))
    # The kernel gives the thread that executes the number of the process, under which it goes on.
    executes(seen, 11, "new", pid=10)
    pids = [thread_of(seen.happens(READ_ENTER, tid, fd=0, size=1)).pid for tid in (10, 11, 12)]
    assert pids == [10, 10, -1]


def test_a_thread_first_seen_at_its_exec_is_of_the_process_that_tells() -> None:
    seen = Machine(listed(5, b"parent"))
    event = executes(seen, 20, "new", ptid=5)
    first = thread_of(event)
    assert (first.pid, first.ptid, first.vtid, first.vpid, first.cwd) == (20, 5, 20, 20, b"./")
    assert parent_of(seen, event).comm == b"parent"
    forks(seen, 20, 21, comm="new")
    assert parent_of(seen, seen.happens(READ_ENTER, 21, fd=0, size=1)).comm == b"new"


def test_children_see_a_parent_that_became_another_program() -> None:
    seen = Machine(listed(10, b"shell"))
    forks(seen, 10, 20)
    forks(seen, 20, 30)
    earlier = seen.happens(READ_ENTER, 20, fd=0, size=1)
    executes(seen, 10, "daemon")
    later, grandchild = (seen.happens(READ_ENTER, tid, fd=0, size=1) for tid in (20, 30))
    assert (parent_of(seen, earlier).comm, parent_of(seen, later).comm) != (b"daemon", b"shell")
    assert parent_of(seen, later).comm == b"daemon"
    assert seen.store.threads[parent_of(seen, grandchild).parent].comm == b"daemon"


def test_an_ended_thread_is_still_known_to_its_last_event() -> None:
    seen = Machine(listed(10))
    last = seen.happens(EXIT, 10, status=0, ret=0, sig=0, core=0)
    assert thread_of(last).comm == b"app" and thread_of(last).ended == last.number
    assert thread_of(seen.happens(READ_ENTER, 10, fd=0, size=1)).comm is None


def test_orphans_go_to_the_reaper_the_kernel_names() -> None:
    seen = Machine(listed(1, b"init", ptid=0), listed(10), listed(20, ptid=10), listed(30, b"reaper"))
    seen.happens(EXIT, 10, status=0, ret=0, sig=0, core=0, reaper_tid=30)
    assert parent_of(seen, seen.happens(READ_ENTER, 20, fd=0, size=1)).comm == b"reaper"


def test_orphans_without_a_named_reaper_go_to_init() -> None:
    seen = Machine(listed(1, b"init", ptid=0), listed(10), listed(20, ptid=10))
    seen.happens(EXIT, 10, count=4, status=0, ret=0, sig=0, core=0)
    assert parent_of(seen, seen.happens(READ_ENTER, 20, fd=0, size=1)).comm == b"init"


def test_an_orphan_nobody_was_told_to_take_in_learns_its_parent_when_it_executes() -> None:
    seen = Machine(listed(10, ptid=0), listed(20, ptid=10))
    seen.happens(EXIT, 10, status=0, ret=0, sig=0, core=0)
    assert thread_of(seen.happens(READ_ENTER, 20, fd=0, size=1)).ptid == 0
    assert thread_of(executes(seen, 20, "new", ptid=1)).ptid == 1
    assert thread_of(executes(seen, 20, "newer", ptid=7)).ptid == 1, "a known parent is told of by its own events"


def test_threads_listed_before_their_parents_are_linked() -> None:
    seen = Machine(listed(20, ptid=30), listed(30, b"parent"))
    assert parent_of(seen, seen.happens(READ_ENTER, 20, fd=0, size=1)).comm == b"parent"


@pytest.mark.parametrize(("path", "cwd"), [("sub", b"/home/sub/"), ("/abs/", b"/abs/"), ("..", b"/")])
def test_chdir_moves_every_thread_of_the_process(path: str, cwd: bytes) -> None:
    seen = Machine(listed(10), listed(11, pid=10))
    seen.happens(CHDIR, 11, res=0, path=path)
    assert [thread_of(seen.happens(READ_ENTER, tid, fd=0, size=1)).cwd for tid in (10, 11)] == [cwd, cwd]


def test_a_failed_chdir_moves_nothing() -> None:
    seen = Machine(listed(10))
    assert thread_of(seen.happens(CHDIR, 10, res=-2, path="/gone")).cwd == b"/home/"


def test_fchdir_goes_where_the_fd_is_and_getcwd_mends() -> None:
    seen = Machine(listed(10))
    seen.fd(10, 4, FdKind.DIRECTORY, b"/srv")
    assert thread_of(seen.happens(FCHDIR, 10, res=0, fd=4)).cwd == b"/srv/"
    assert thread_of(seen.happens(GETCWD, 10, res=9, path="/true")).cwd == b"/true/"


def test_identities_change_when_the_call_worked_and_minus_one_is_no_change() -> None:
    seen = Machine(listed(10, uid=5))
    assert thread_of(seen.happens(SETUID, 10, res=-1, uid=7)).uid == 5
    assert thread_of(seen.happens(SETUID, 10, res=0, uid=7)).uid == 7
    assert thread_of(seen.happens(SETRESUID, 10, res=0, ruid=1, euid=-1, suid=1)).uid == 7
    assert thread_of(seen.happens(SETRESUID, 10, res=0, ruid=1, euid=9, suid=1)).uid == 9


def test_a_thread_may_name_itself_and_lead_a_session() -> None:
    seen = Machine(listed(10))
    named = seen.happens(PRCTL, 10, res=0, option=15, arg2_str="a-name-that-is-too-long", arg2_int=0)
    assert thread_of(named).comm == b"a-name-that-is-"
    assert thread_of(seen.happens(SETSID, 10, res=10)).sid == 10


def test_earlier_events_keep_the_version_of_their_time() -> None:
    seen = Machine(listed(10))
    before = seen.happens(READ_ENTER, 10, fd=0, size=1)
    seen.happens(SETUID, 10, res=0, uid=7)
    after = seen.happens(READ_ENTER, 10, fd=0, size=1)
    assert thread_of(before) is not thread_of(after)
    assert thread_of(before).life == thread_of(after).life


def test_a_clone_within_a_pid_namespace_makes_no_thread_of_the_inner_number() -> None:
    seen = Machine(listed(10))
    seen.happens(CLONE, 10, res=2, exe="app", comm="app", tid=10, pid=10, ptid=1, flags=0, vtid=1, vpid=1)
    assert [thread.tid for thread in seen.store.threads if thread.tid == 2] == []


def test_a_thread_that_ended_before_threads_were_listed_is_known_if_it_turns_up() -> None:
    seen = Machine(listed(10))
    seen.decoder.former({10: listed(10, b"old"), 20: listed(20, b"gone"), 30: listed(30, b"gone too")})
    assert thread_of(seen.happens(GETPID, 10)).comm == b"app"
    assert thread_of(seen.happens(GETPID, 20)).comm == b"gone"
    assert thread_of(seen.happens(GETPID, 40)).comm is None
    # The number is another thread's by now.
    forks(seen, 10, 30)
    seen.happens(EXIT, 30, status=0)
    seen.happens(EXIT, 20, status=0)
    assert thread_of(seen.happens(GETPID, 20)).comm is None
    assert thread_of(seen.happens(GETPID, 30)).comm is None
