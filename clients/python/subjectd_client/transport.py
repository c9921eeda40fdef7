"""One HTTP exchange over one connection, bounded by a deadline and cancellable from another thread."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from .errors import Cancelled, DeadlineExceeded, Unreachable


class Deadline:
    """A moment on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._at - time.monotonic())

    def check(self, what: str) -> float:
        """Seconds left; raises DeadlineExceeded when there are none."""
        left = self.left()
        if left <= 0:
            raise DeadlineExceeded(f"{what}: no answer within {self.seconds:g} s")
        return left


class Cancel:
    """Ends what one caller waits for, from any thread: closes its connection and cuts its pauses short."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self) -> None:
        with self._lock:
            self._event.set()
            held = self._socket
            if held is not None:
                try:
                    # Of the plain socket: that of a TLS socket would change it under its reader.
                    socket.socket.shutdown(held, socket.SHUT_RDWR)
                except OSError:
                    pass  # closed already

    def hold(self, held: socket.socket) -> None:
        """Takes charge of a connection; raises Cancelled when it is too late."""
        with self._lock:
            if self._event.is_set():
                raise Cancelled
            self._socket = held

    def release(self) -> None:
        with self._lock:
            self._socket = None

    def pause(self, seconds: float) -> None:
        """Waits so long, or raises Cancelled."""
        if self._event.wait(seconds):
            raise Cancelled


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Server:
    """Where the service is."""

    def __init__(self, base_url: str, ssl_context: ssl.SSLContext | None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base_url must be like http://127.0.0.1:8080, not {base_url!r}")
        self.name = base_url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._secure else 80)
        self._prefix = parts.path.rstrip("/")
        self._ssl = ssl_context

    def exchange(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None, deadline: Deadline, cancel: Cancel
    ) -> Response:
        """Sends a request and reads the whole answer. Raises Unreachable when the connection fails on the way, whatever was sent."""
        what = f"{method} {target}"
        with _Exchange(self._connection(deadline.check(what)), cancel, f"{what} at {self.name}", deadline.seconds) as exchange:
            response = exchange.send(method, self._prefix + target, headers, body, deadline)
            exchange.socket.settimeout(deadline.check(what))
            return Response(response.status, _headers(response), response.read())

    def stream(
        self, target: str, headers: dict[str, str], deadline: Deadline, idle_sec: float, cancel: Cancel
    ) -> Iterator[tuple[Response, bytes | None]]:
        """Gives the head of the answer, then each of its lines. Raises Unreachable when it breaks, or is silent for ``idle_sec``."""
        what = f"GET {target}"
        with _Exchange(self._connection(deadline.check(what)), cancel, f"{what} at {self.name}", idle_sec) as exchange:
            response = exchange.send("GET", self._prefix + target, headers, None, deadline)
            exchange.socket.settimeout(idle_sec)
            head = Response(response.status, _headers(response), b"" if response.status == 200 else response.read())
            yield head, None
            while True:
                line = response.readline()
                if not line:
                    return
                yield head, line

    def _connection(self, timeout: float) -> HTTPConnection:
        if self._secure:
            context = self._ssl or ssl.create_default_context()
            return HTTPSConnection(self._host, self._port, timeout=timeout, context=context)
        return HTTPConnection(self._host, self._port, timeout=timeout)


class _Exchange:
    """Opens and closes one connection, and says in this package's words how it failed."""

    def __init__(self, connection: HTTPConnection, cancel: Cancel, what: str, seconds: float) -> None:
        self._connection = connection
        self._cancel = cancel
        self._what = what
        self._seconds = seconds
        self.socket: socket.socket = None  # type: ignore[assignment]

    def __enter__(self) -> _Exchange:
        return self

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None, deadline: Deadline) -> HTTPResponse:
        self._connection.connect()
        self.socket = self._connection.sock
        self._cancel.hold(self.socket)
        self.socket.settimeout(deadline.check(self._what))
        self._connection.request(method, path, body=body, headers={**headers, "Connection": "close"})
        self.socket.settimeout(deadline.check(self._what))
        return self._connection.getresponse()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._cancel.release()
        self._connection.close()
        if isinstance(error, (OSError, HTTPException)):
            if self._cancel.cancelled:
                raise Cancelled from error
            if isinstance(error, socket.timeout):
                raise DeadlineExceeded(f"{self._what}: silent for {self._seconds:g} s") from error
            raise Unreachable(f"{self._what}: {error or type(error).__name__}") from error


def _headers(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
