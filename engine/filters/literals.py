"""Literal values, read as the type of the field they are compared with (filter-language §2, Values)."""

from __future__ import annotations

import ipaddress
import math
import re
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.events import codes_by_name
from engine.fields.field import FieldType
from engine.filters.errors import FilterError, near
from engine.filters.syntax import Text

_NUMBER = re.compile(rb"([+-]?[0-9]{1,20})(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_QUANTITY = re.compile(rb"([+-]?[0-9]{1,20}(?:\.[0-9]{0,20})?)([A-Za-z]{1,3})")
_SIZES = {b"K": 1 << 10, b"M": 1 << 20, b"G": 1 << 30, b"T": 1 << 40}
_TIMES = {b"ns": 1, b"us": 10**3, b"ms": 10**6, b"s": 10**9, b"m": 60 * 10**9, b"h": 3600 * 10**9}
_CLOCK = re.compile(rb"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_DATE = re.compile(rb"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9:.]+)")
_BOOLS = {b"true": True, b"false": False}


class Network:
    """An IPv4 or IPv6 network; addresses are packed, 4 or 16 bytes."""

    def __init__(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
        self._length = len(network.network_address.packed)
        self._first = network.network_address.packed
        self._last = network.broadcast_address.packed

    def __contains__(self, address: bytes) -> bool:
        return len(address) == self._length and self._first <= address <= self._last


def read(text: Text, kind: FieldType) -> Any:
    """The value of a literal: bytes, int, float, bool, a packed address or a Network. Raises FilterError."""
    return _READERS[kind](text)


def event_name(text: Text) -> bytes:
    """The name of an event type, which must exist."""
    known = codes_by_name()
    name = _shown(text)
    if name not in known:
        raise FilterError(f"unknown event type {name}", text.position, near=near(name, known))
    return text.value


def hexadecimal(text: Text) -> bytes:
    """Bytes written as pairs of hexadecimal digits."""
    try:
        return bytes.fromhex(text.value.decode("ascii"))
    except ValueError:
        raise _wrong(text, "pairs of hexadecimal digits, as in 474554") from None


def _shown(text: Text) -> str:
    return text.value.decode("utf-8", "replace")


def _wrong(text: Text, expected: str) -> FilterError:
    return FilterError(f"{text} does not fit", text.position, expected)


def _integer(text: Text, expected: str = "a decimal number") -> int:
    match = _NUMBER.fullmatch(text.value)
    if match is None:
        raise _wrong(text, expected)
    value = float(text.value) if match[3] else int(match[1])
    if not -(2**63) <= value < 2**64:
        raise _wrong(text, "a number of at most 64 bits")
    return int(value)


def _quantity(text: Text, units: dict[bytes, int], expected: str) -> int:
    """A whole number, or one with a unit, cut to a whole one: ``1.5K``."""
    match = _QUANTITY.fullmatch(text.value)
    if match is None:
        return _integer(text, expected)
    if match[2] not in units:
        raise _wrong(text, expected)
    value = int(Decimal(match[1].decode()) * units[match[2]])
    if not -(2**63) <= value < 2**64:
        raise _wrong(text, "a number of at most 64 bits")
    return value


def _size(text: Text) -> int:
    return _quantity(text, _SIZES, EXPECTED[FieldType.INTEGER])


def _duration(text: Text) -> int:
    return _quantity(text, _TIMES, EXPECTED[FieldType.DURATION])


def time_of_day(text: Text) -> int:
    """ns after midnight of ``10:02``, ``10:02:03`` or ``10:02:03.5``."""
    match = _CLOCK.fullmatch(text.value)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        raise _wrong(text, "a time of day, as in 10:02:03")
    seconds = (int(match[1]) * 60 + int(match[2])) * 60 + int(match[3] or 0)
    return seconds * 10**9 + int((match[4] or b"").ljust(9, b"0"))


def _moment(text: Text) -> int:
    """ns since 1970, as a number or as a local date and time."""
    match = _DATE.fullmatch(text.value)
    if match is None:
        return _integer(text, EXPECTED[FieldType.TIME])
    since = time_of_day(Text(match[2], text.position + match.start(2)))
    try:
        midnight = datetime.fromisoformat(match[1].decode())
        second = int((midnight + timedelta(seconds=since // 10**9)).timestamp())
    except (ValueError, OverflowError, OSError):
        raise _wrong(text, "a date, as in 2017-09-23T10:02:03") from None
    return second * 10**9 + since % 10**9


def _float(text: Text) -> float:
    if _NUMBER.fullmatch(text.value) is None or not math.isfinite(value := float(text.value)):
        raise _wrong(text, EXPECTED[FieldType.FLOAT])
    return value


def _bool(text: Text) -> bool:
    if text.value not in _BOOLS:
        raise _wrong(text, EXPECTED[FieldType.BOOL])
    return _BOOLS[text.value]


def _port(text: Text) -> int:
    if not text.value:
        return 0
    if _NUMBER.fullmatch(text.value):
        value = _integer(text)
        if 0 <= value < 65_536:
            return value
    else:
        try:
            return socket.getservbyname(text.value.decode("ascii"))
        except (OSError, ValueError):
            pass
    raise _wrong(text, EXPECTED[FieldType.PORT])


def _address(text: Text) -> bytes:
    try:
        return ipaddress.ip_address(_shown(text)).packed
    except ValueError:
        raise _wrong(text, EXPECTED[FieldType.ADDRESS]) from None


def _network(text: Text) -> Network:
    shown = _shown(text)
    address, slash, prefix = shown.partition("/")
    try:
        if not slash or not prefix.isdecimal() or "%" in address:
            raise ValueError(shown)
        network = ipaddress.ip_network(shown, strict=False)
    except ValueError:
        raise FilterError(f"unrecognized IP network {shown}", text.position, EXPECTED[FieldType.NETWORK]) from None
    return Network(network)


EXPECTED = {
    FieldType.TEXT: "text, in quotes if it has blanks or any of ( ) , = in it",
    FieldType.BYTES: "text, in quotes if it has blanks or any of ( ) , = in it",
    FieldType.INTEGER: "a decimal number, perhaps with K, M, G or T (powers of 1024)",
    FieldType.ID: "a decimal number",
    FieldType.PORT: "a port from 0 to 65535 or the name of a service",
    FieldType.FLOAT: "a decimal number",
    FieldType.BOOL: "true or false",
    FieldType.DURATION: "a decimal number of ns, or one with the unit ns, us, ms, s, m or h",
    FieldType.TIME: "a decimal number of ns since 1970, or a local time as in 2017-09-23T10:02:03",
    FieldType.ADDRESS: "an IPv4 or IPv6 address",
    FieldType.NETWORK: "an address with a prefix length, as in 192.168.0.0/24",
}
"""What a literal of each type looks like, for people."""

_READERS: dict[FieldType, Callable[[Text], Any]] = {
    FieldType.TEXT: lambda text: text.value,
    FieldType.BYTES: lambda text: text.value,
    FieldType.INTEGER: _size,
    FieldType.ID: _integer,
    FieldType.PORT: _port,
    FieldType.FLOAT: _float,
    FieldType.BOOL: _bool,
    FieldType.DURATION: _duration,
    FieldType.TIME: _moment,
    FieldType.ADDRESS: _address,
    FieldType.NETWORK: _network,
}
