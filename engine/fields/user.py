"""Fields of users and groups: of the thread version, named by the machine's or the container's tables."""

from __future__ import annotations

from functools import partial

from engine.fields.field import Field, FieldType, Place, Value
from engine.model.facts import NO_ID, Thread, User
from engine.store.store import Store


def _user(thread: Thread, store: Store, uid: int) -> User | None:
    # Without a user table of its own a container's user is the machine's user of that number, as for the kernel.
    found = store.users.get((thread.container, uid))
    return found if found is not None else store.users.get(("", uid))


def _name(thread: Thread, store: Store, uid: int) -> Value:
    if uid == NO_ID:
        return None
    if not store.user_names:
        return b"%d" % uid
    found = _user(thread, store, uid)
    return None if found is None else found.name


def _group_name(thread: Thread, store: Store, _: str | None) -> Value:
    if not store.user_names:
        return b"%d" % thread.gid
    found = store.groups.get((thread.container, thread.gid)) or store.groups.get(("", thread.gid))
    return None if found is None else found.name


def _home(thread: Thread, store: Store, _: str | None) -> Value:
    found = _user(thread, store, thread.uid)
    return None if found is None else found.home


def _shell(thread: Thread, store: Store, _: str | None) -> Value:
    found = _user(thread, store, thread.uid)
    return None if found is None else found.shell


def _login_id(thread: Thread, *_: object) -> Value:
    return -1 if thread.loginuid == NO_ID else thread.loginuid


TEXT, ID = FieldType.TEXT, FieldType.ID
_user_field = partial(Field, place=Place.THREAD, group="user")
_group_field = partial(Field, place=Place.THREAD, group="group")
FIELDS = (
    _user_field("user.uid", ID, "user id", lambda t, *_: t.uid),
    _user_field("user.name", TEXT, "user name", lambda t, store, _: _name(t, store, t.uid)),
    _user_field("user.homedir", TEXT, "home directory", _home),
    _user_field("user.shell", TEXT, "login shell", _shell),
    _user_field("user.loginuid", ID, "id of the user who logged in, -1 for none", _login_id),
    _user_field(
        "user.loginname", TEXT, "name of the user who logged in", lambda t, store, _: _name(t, store, t.loginuid)
    ),
    _group_field("group.gid", ID, "group id", lambda t, *_: t.gid),
    _group_field("group.name", TEXT, "group name", _group_name),
)
