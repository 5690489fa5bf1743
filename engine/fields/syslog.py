"""Fields of messages to the system log: of the payload of writes to /dev/log (RFC 3164: ``<priority>text``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.decode.event import Event
from engine.events import Trait
from engine.fields.field import Field, FieldType, Place, Value
from engine.fields.render import payload
from engine.model.fds import Identity

_FACILITIES = (
    *(b"kern", b"user", b"mail", b"daemon", b"auth", b"syslog", b"lpr", b"news", b"uucp", b"clock", b"authpriv"),
    *(b"ftp", b"ntp", b"logaudit", b"logalert", b"cron", b"local0", b"local1", b"local2", b"local3", b"local4"),
    *(b"local5", b"local6", b"local7"),
)
_SEVERITIES = (b"emerg", b"alert", b"crit", b"err", b"warn", b"notice", b"info", b"debug")
_LONGEST_PRIORITY = 4


def is_log(identity: Identity) -> bool:
    """True for the socket of the system log."""
    return b"/dev/log" in identity.name


def _message(event: Event) -> tuple[int, bytes] | None:
    """Priority and text of a message; None for all other events."""
    identity = event.fd
    if identity is None or not event.type.traits & Trait.WRITES_TO_FD or not is_log(identity):
        return None
    sent = payload(event)
    if not isinstance(sent, bytes) or not sent.startswith(b"<"):
        return None
    number, end, text = sent[1 : _LONGEST_PRIORITY + 1].partition(b">")[0], sent.find(b">"), b""
    text = sent[end + 1 :]
    if not number.isdigit() or end != len(number) + 1:
        return None
    return int(number), text


def _of_message(read: Callable[[int, bytes], Value]) -> Callable[[Event, str | None], Value]:
    def value(event: Event, _: str | None) -> Value:
        told = _message(event)
        return None if told is None else read(*told)

    return value


def _word(words: tuple[bytes, ...], number: int) -> Value:
    return words[number] if number < len(words) else b"<NA>"


_late = partial(
    Field, place=Place.LATE, group="syslog", types=lambda kind: bool(kind.traits & Trait.WRITES_TO_FD) and kind.is_exit
)
FIELDS = (
    _late(
        "syslog.facility.str",
        FieldType.TEXT,
        "name of the facility",
        _of_message(lambda p, _: _word(_FACILITIES, p >> 3)),
    ),
    _late("syslog.facility", FieldType.ID, "number of the facility, 0 to 23", _of_message(lambda p, _: p >> 3)),
    _late(
        "syslog.severity.str",
        FieldType.TEXT,
        "name of the severity: emerg, alert, crit, err, warn, notice, info or debug",
        _of_message(lambda p, _: _word(_SEVERITIES, p & 7)),
        example="syslog.severity.str in (emerg, alert, crit, err)",
    ),
    _late(
        "syslog.severity",
        FieldType.ID,
        "number of the severity, 0 (worst) to 7",
        _of_message(lambda p, _: p & 7),
        example="syslog.severity <= 3",
    ),
    _late("syslog.message", FieldType.TEXT, "text of the message", _of_message(lambda _, text: text)),
)
