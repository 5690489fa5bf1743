"""Small servers on unix sockets: Docker's HTTP, the CRI's gRPC, and ones that answer wrongly or not at all."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import grpc

ID = "0123456789abcdef" * 4
POD = "fedcba9876543210" * 4
DOCKER_CONTAINER = {
    "Id": ID,
    "Name": "/web-1",
    "Image": "sha256:" + "ab" * 32,
    "Created": "2024-05-17T08:09:10.123456789Z",
    "Config": {
        "Image": "registry:5000/shop/web:1.2",
        "Labels": {"app": "shop", "odd": None},
        "Env": ["A=1", "B=2"],
        "User": "www",
    },
    "HostConfig": {"Privileged": True, "CpuShares": 512, "Memory": 1 << 20, "NetworkMode": "bridge"},
    "NetworkSettings": {"IPAddress": "", "Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
    "Mounts": [{"Source": "/srv", "Destination": "/data", "Mode": "ro", "RW": False, "Propagation": "rprivate"}],
}


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that gives up is no error."""


@contextmanager
def serving(path: Path, handler: type[socketserver.BaseRequestHandler]) -> Iterator[str]:
    """A server of that handler."""
    with _Server(str(path), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield str(path)
        server.shutdown()
        thread.join()


def docker(answers: dict[str, Any], status: int = 200) -> type[BaseHTTPRequestHandler]:
    """Answers GET requests for these paths with JSON, 404 for others."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path in answers
            body = json.dumps(answers[self.path]).encode() if found else b'{"message": "no such container"}'
            self.send_response(status if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    return Handler


def saying(*pieces: bytes, wait: float = 0.0) -> type[socketserver.BaseRequestHandler]:
    """Says these bytes, whatever is asked, each after a wait; without any it says nothing and hangs."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if not pieces:
                over.wait(5)
            for piece in pieces:
                over.wait(wait)
                self.request.sendall(piece)

    return Handler


def number(field: int, value: int) -> bytes:
    """A field of a message with a number."""
    return _varint(field << 3) + _varint(value)


def field(field: int, value: bytes | str) -> bytes:
    """A field of a message with bytes, a text or a message."""
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def entries(at: int, values: dict[str, str]) -> bytes:
    """A map of texts."""
    return b"".join(field(at, field(1, key) + field(2, value)) for key, value in values.items())


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


VERSION = field(1, "0.1.0") + field(2, "containerd") + field(3, "v1.7.9") + field(4, "v1")
LABELS = {
    "io.kubernetes.container.name": "web",
    "io.kubernetes.pod.name": "web-7f",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "9b6c",
}
CONTAINER = field(
    1,
    field(1, ID)
    + field(2, field(1, "web"))
    + number(3, 1)
    + number(4, 1_715_933_350 * 10**9)
    + field(8, field(1, "docker.io/shop/web:1.2"))
    + field(9, "docker.io/shop/web@sha256:" + "cd" * 32)
    + entries(12, LABELS)
    + field(14, field(1, "/data") + field(2, "/srv") + number(3, 1)),
) + entries(2, {"info": json.dumps({"sandboxID": POD, "pid": 7, "privileged": True})})
SANDBOX = field(
    1,
    field(1, POD)
    + field(2, field(1, "web-7f") + field(2, "9b6c") + field(3, "shop"))
    + number(4, 1_715_933_340 * 10**9)
    + field(5, field(1, "10.1.0.7"))
    + entries(7, {"app": "shop"}),
)


@contextmanager
def cri(path: Path, answers: dict[str, Callable[[bytes], bytes | None]]) -> Iterator[str]:
    """A gRPC server that answers these methods of the runtime service; None is answered as not found."""

    class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            answer = answers.get(details.method.removeprefix("/runtime.v1.RuntimeService/"))

            def handle(request: bytes, context: Any) -> bytes:
                told = answer(request) if answer is not None else None
                if told is None:
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
                return told or b""

            return grpc.unary_unary_rpc_method_handler(handle)

    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Service(),))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield str(path)
    finally:
        server.stop(None).wait()


def kubernetes(path: Path) -> Any:
    """A node with one container in one pod."""
    return cri(
        path,
        {
            "Version": lambda _: VERSION,
            "ContainerStatus": lambda request: CONTAINER if ID[:12].encode() in request else None,
            "PodSandboxStatus": lambda request: SANDBOX if POD[:12].encode() in request else None,
        },
    )
