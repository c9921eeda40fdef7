"""A server that does on the wire what the real service does not do on demand: hang up, be slow, answer nonsense."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

# What waits for the other side in these tests gives up after this; nothing here is timed.
PATIENCE_SEC = 20.0


@dataclass
class Call:
    """One request, and the means to answer it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    handler: BaseHTTPRequestHandler = field(repr=False)

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(content)

    def hang_up(self) -> None:
        self.handler.close_connection = True
        self.handler.connection.shutdown(2)

    def wait_until_the_client_is_gone(self) -> bool:
        self.handler.connection.settimeout(PATIENCE_SEC)
        return bool(self.handler.connection.recv(1) == b"")


class Scripted:
    """Answers each request with the next step of the script; a request beyond its end is a 500 that says so."""

    def __init__(self, *steps: Callable[[Call], None]) -> None:
        self.calls: list[Call] = []
        self._steps = list(steps)
        self._lock = threading.Lock()
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, json.loads(content) if content else None, self)
                with scripted._lock:
                    scripted.calls.append(call)
                    step = scripted._steps.pop(0) if scripted._steps else None
                if step is None:
                    call.answer(500, {"code": "internal", "status": 500, "detail": f"the script has no answer to {call}"})
                else:
                    step(call)

            do_GET = do_POST = do_DELETE = do_PATCH = _serve

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Scripted:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def gives(status: int, body: Any, headers: dict[str, str] | None = None) -> Callable[[Call], None]:
    return lambda call: call.answer(status, body, headers)


def problem(status: int, code: str, detail: str = "Because.", **extra: Any) -> Callable[[Call], None]:
    headers = {"Content-Type": "application/problem+json", **({"Retry-After": "0"} if code == "subject_busy" else {})}
    return gives(status, {"code": code, "status": status, "detail": detail, **extra}, headers)


def hangs_up(call: Call) -> None:
    call.hang_up()


def says_nothing(call: Call) -> None:
    call.wait_until_the_client_is_gone()
