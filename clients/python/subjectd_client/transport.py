"""One HTTP exchange over one connection, bounded by a deadline and cancellable from another thread."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
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


def _shut(held: socket.socket) -> None:
    """Ends a connection under its reader."""
    try:
        # Of the plain socket: that of a TLS socket would change it.
        socket.socket.shutdown(held, socket.SHUT_RDWR)
    except OSError:
        pass  # closed already


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
            if self._socket is not None:
                _shut(self._socket)

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
        with _Exchange(self._connection(deadline), cancel, f"{what} at {self.name}", deadline) as exchange:
            response = exchange.send(method, self._prefix + target, headers, body)
            return Response(response.status, _headers(response), response.read())

    def stream(
        self, target: str, headers: dict[str, str], deadline: Deadline, idle_sec: float, cancel: Cancel
    ) -> Iterator[tuple[Response, bytes | None]]:
        """Gives the head of the answer, then each of its lines. Raises Unreachable when it breaks, or is silent for ``idle_sec``."""
        what = f"GET {target}"
        with _Exchange(self._connection(deadline), cancel, f"{what} at {self.name}", deadline) as exchange:
            response = exchange.send("GET", self._prefix + target, headers, None)
            head = Response(response.status, _headers(response), b"" if response.status == 200 else response.read())
            exchange.endless(idle_sec)
            yield head, None
            while True:
                line = response.readline()
                if not line:
                    return
                yield head, line

    def _connection(self, deadline: Deadline) -> HTTPConnection:
        connection = self._plain() if not self._secure else self._over_tls()
        # Theirs gives each address of the name all of the time.
        connection._create_connection = _within(deadline)  # type: ignore[attr-defined]
        return connection

    def _plain(self) -> HTTPConnection:
        return HTTPConnection(self._host, self._port)

    def _over_tls(self) -> HTTPConnection:
        return HTTPSConnection(self._host, self._port, context=self._ssl or ssl.create_default_context())


def _within(deadline: Deadline) -> Callable[..., socket.socket]:
    """Connects to the first of a name's addresses that answers, within what is left of the time for all of them."""

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        failed: OSError = OSError("the name has no address")
        for family, kind, protocol, _name, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
            link = socket.socket(family, kind, protocol)
            try:
                # Also the time-out of a TLS handshake that follows.
                link.settimeout(max(deadline.left(), 0.001))
                link.connect(place)
                return link
            except OSError as error:
                link.close()
                failed = error
        raise failed

    return connect


class _Exchange:
    """Opens and closes one connection, ends it at the deadline, and says in this package's words how it failed."""

    def __init__(self, connection: HTTPConnection, cancel: Cancel, what: str, deadline: Deadline) -> None:
        self._connection = connection
        self._cancel = cancel
        self._what = what
        self._seconds = deadline.seconds
        self._deadline = deadline
        self._held: socket.socket | None = None
        self._late = False
        # A time-out of the socket is one of each read: who sends a byte now and then would never be given up.
        self._timer: threading.Timer | None = None

    def __enter__(self) -> _Exchange:
        return self

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> HTTPResponse:
        self._connection.connect()
        # Kept: the connection lets go of it when the answer begins.
        held = self._held = self._connection.sock
        self._cancel.hold(held)
        held.settimeout(self._deadline.check(self._what))
        self._timer = threading.Timer(self._deadline.left(), self._end, [held])
        self._timer.daemon = True
        self._timer.start()
        self._connection.request(method, path, body=body, headers={**headers, "Connection": "close"})
        return self._connection.getresponse()

    def endless(self, idle_sec: float) -> None:
        """From here on only silence ends it."""
        self._stop_timer()
        self._seconds = idle_sec
        if self._held is not None:
            self._held.settimeout(idle_sec)

    def _end(self, held: socket.socket) -> None:
        self._late = True
        _shut(held)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._stop_timer()
        self._cancel.release()
        self._connection.close()
        if self._late and error is None:
            raise DeadlineExceeded(f"{self._what}: no whole answer within {self._seconds:g} s")
        if isinstance(error, (OSError, HTTPException)):
            if self._cancel.cancelled:
                raise Cancelled from error
            if self._late or (self._held is not None and isinstance(error, socket.timeout)):
                raise DeadlineExceeded(f"{self._what}: no whole answer within {self._seconds:g} s") from error
            raise Unreachable(f"{self._what}: {error or type(error).__name__}") from error


def _headers(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
