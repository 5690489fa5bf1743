"""One gRPC call over a unix socket: one request message, one answer.

HTTP/2 is the business of ``h2``: pure Python, 3 small packages, where grpcio is 20 MB of its own threads and TLS
for what is here one request now and then. A call is a POST whose body is a message behind five bytes (0 and its
length), answered alike; its status comes in the trailers.
"""

from __future__ import annotations

import struct

from engine.sources.runtimes.deadline import Deadline, UnansweredError

MOST = 1 << 22
"""Bytes of an answer."""
NOT_FOUND = 5
"""Status of a call about what the server does not have."""


class StatusError(UnansweredError):
    """The server answered with a status other than OK."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"status {status}: {message[:200]}")
        self.status = status


def call(path: str, method: str, request: bytes, seconds: float) -> bytes:
    """The answer to a call of ``/package.Service/Method``. Raises StatusError, UnansweredError."""
    import h2.config
    import h2.connection
    import h2.events
    import h2.exceptions

    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "syscope"),
    ]
    told: dict[str, str] = {}
    body = bytearray()
    http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    try:
        with Deadline(path, seconds) as server:
            http.initiate_connection()
            http.send_headers(1, headers)
            http.send_data(1, struct.pack(">BI", 0, len(request)) + request, end_stream=True)
            ended = False
            while not ended:
                server.send(http.data_to_send())
                received = server.receive()
                if not received:
                    raise UnansweredError("the connection ended in the middle of an answer")
                for event in http.receive_data(received):
                    if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                        told.update((str(name), str(value)) for name, value in event.headers or ())
                    elif isinstance(event, h2.events.DataReceived):
                        body += event.data or b""
                        http.acknowledge_received_data(event.flow_controlled_length or 0, 1)
                        if len(body) > MOST:
                            raise UnansweredError(f"expected an answer of up to {MOST} bytes")
                    elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                        ended = True
                    elif isinstance(event, h2.events.ConnectionTerminated):
                        raise UnansweredError("the server ended the connection")
    except (h2.exceptions.H2Error, UnicodeError, ValueError) as error:
        raise UnansweredError(f"expected HTTP/2: {type(error).__name__}") from None
    status = told.get("grpc-status", "")
    if not status.isdecimal() or len(status) > 3:
        raise UnansweredError(f"expected a gRPC status, found HTTP status {told.get(':status', 'none')}")
    if int(status):
        raise StatusError(int(status), told.get("grpc-message", ""))
    if len(body) < 5 or body[0] or len(body) != 5 + struct.unpack_from(">I", body, 1)[0]:
        raise UnansweredError("expected one message that is not compressed")
    return bytes(body[5:])
