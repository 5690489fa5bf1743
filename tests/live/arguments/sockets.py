"""Cases of calls about sockets; see ``tests.live.arguments``."""

from __future__ import annotations

_SERVER = """
import socket
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(6); s = server.fileno()
port = server.getsockname()[1]
client = socket.create_connection(("127.0.0.1", port)); c = client.fileno(); near = client.getsockname()[1]
"""
_UDP = """
import socket
a, b = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
for end in (a, b): end.bind(("127.0.0.1", 0))
fa, fb = a.fileno(), b.fileno(); pa, pb = a.getsockname()[1], b.getsockname()[1]
def name(port): return ctypes.create_string_buffer(struct.pack(">2sH4s8x", b"\\2\\0", port, bytes([127, 0, 0, 1])), 16)
def message(port, *buffers, control=b""):
    to = kept(name(port)); room = kept(ctypes.create_string_buffer(control, len(control))) if control else None
    return struct.pack("<QQQQQQQQ", ctypes.addressof(to), 16, ctypes.addressof(parts(*buffers)), len(buffers),
                       ctypes.addressof(room) if room else 0, len(control), 0, 0)
"""
_ADDRESS = "struct.pack('>2sH4s8x', b'\\2\\0', {port}, bytes([127, 0, 0, 1]))"
_QUEUE = "queuepct=0 queuelen=0 queuemax=6"

CASES: dict[str, tuple[str, str]] = {
    "socket": (
        "r = call(41, 10, 2 | os.O_CLOEXEC, 17)",
        "fd={r}(<6>) domain=10(AF_INET6) type=524290 proto=17 flags=4096(O_CLOEXEC)",
    ),
    "socketpair": (
        "pair = ctypes.create_string_buffer(8)\ncall(53, 1, 1, 0, pair)\none, two = struct.unpack('<ii', pair)",
        "res=0 fd1={one}(<u>) fd2={two}(<u>) source=* peer=* domain=1(AF_LOCAL|AF_UNIX) type=1 proto=0",
    ),
    "bind": (
        "r = call(41, 2, 2, 0)\ncall(49, r, " + _ADDRESS.format(port=0) + ", 16)",
        "res=0 addr=127.0.0.1:0 fd={r}*",
    ),
    "listen": ("r = call(41, 2, 1, 0); call(50, r, 13)", "res=0 fd={r}* backlog=13"),
    "connect": (
        "import socket\nserver = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(); "
        "port = server.getsockname()[1]\nr = call(41, 2, 1, 0)\ncall(42, r, " + _ADDRESS.format(port="port") + ", 16)\n"
        "near = socket.socket(fileno=r).getsockname()[1]",
        "res=0 tuple=127.0.0.1:{near}->127.0.0.1:{port} fd={r}(<4t>127.0.0.1:{near}->127.0.0.1:{port}) "
        "addr=127.0.0.1:{port}",
    ),
    "accept": (
        _SERVER + "r = call(43, s, 0, 0)",
        "fd={r}(<4t>127.0.0.1:{near}->127.0.0.1:{port}) tuple=127.0.0.1:{near}->127.0.0.1:{port} " + _QUEUE,
    ),
    "accept4": (
        _SERVER + "r = call(288, s, 0, 0, os.O_NONBLOCK)",
        "fd={r}(<4t>127.0.0.1:{near}->127.0.0.1:{port}) tuple=127.0.0.1:{near}->127.0.0.1:{port} "
        + _QUEUE
        + " flags=800",
    ),
    "sendto": (
        _UDP + "call(44, fa, b'payload', 7, 0, name(pb), 16)",
        "res=7 data=payload fd={fa}* size=7 tuple=127.0.0.1:{pa}->127.0.0.1:{pb}",
    ),
    "recvfrom": (
        _UDP + "a.sendto(b'payload', b.getsockname())\n"
        "call(45, fb, bytes(64), 64, 0, bytes(16), ctypes.byref(ctypes.c_int(16)))",
        "res=7 data=payload tuple=127.0.0.1:{pa}->127.0.0.1:{pb} fd={fb}* size=64",
    ),
    "sendmsg": (
        _UDP + "call(46, fa, message(pb, b'in ', b'parts'), 0)",
        "res=8 data=in parts fd={fa}* size=8 tuple=127.0.0.1:{pa}->127.0.0.1:{pb}",
    ),
    "recvmsg": (
        _UDP + "b.setsockopt(0, 8, 1); a.sendto(b'payload', b.getsockname())\n"
        "call(47, fb, message(0, bytes(3), bytes(40), control=bytes(64)), 0)",
        "res=7 size=43 data=payload tuple=127.0.0.1:{pa}->127.0.0.1:{pb} msgcontrol=* fd={fb}*",
    ),
    "sendmmsg": (
        _UDP + "call(307, fa, message(pb, b'in ', b'parts') + message(pb, b'more'), 2, 0)",
        "res=2 fd={fa}* size=8 data=in parts tuple=127.0.0.1:{pa}->127.0.0.1:{pb}",
    ),
    "recvmmsg": (
        _UDP + "a.sendto(b'one', b.getsockname()); a.sendto(b'two', b.getsockname())\n"
        "call(299, fb, message(0, bytes(9)) + message(0, bytes(9)), 2, 0, 0)",
        "res=2 fd={fb}* size=9 data=one tuple=127.0.0.1:{pa}->127.0.0.1:{pb} msgcontrol=-",
    ),
    "shutdown": (_SERVER + "call(48, c, 1)", "res=0 fd={c}(<4t>127.0.0.1:{near}->127.0.0.1:{port}) how=1(SHUT_WR)"),
    "setsockopt": (
        "r = call(41, 2, 1, 0); call(54, r, 1, 20, struct.pack('<QQ', 3, 250000), 16)",
        "res=0 fd={r}* level=1(SOL_SOCKET) optname=20(SO_RCVTIMEO) val=3250000000(3.25s) optlen=16",
    ),
    "getsockopt": (
        "r = call(41, 2, 1, 0); call(55, r, 1, 3, bytes(4), ctypes.byref(ctypes.c_int(4)))",
        "res=0 fd={r}* level=1(SOL_SOCKET) optname=3(SO_TYPE) val=1 optlen=4",
    ),
    "getsockname": ("call(51, -1, 0, 0)", ""),
    "getpeername": ("call(52, -1, 0, 0)", ""),
}
