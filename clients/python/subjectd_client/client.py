"""The whole API, one blocking method a call."""

from __future__ import annotations

import copy
import ssl
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from .errors import DeadlineExceeded, SubjectdError, Unreachable, error_of
from .sse import EventParser
from .transport import Cancel, Deadline, Response, Server
from .wire import (
    Json,
    Query,
    Target,
    encode,
    expect,
    fault_request,
    given,
    idempotency_key,
    json_body,
    milliseconds,
    retry_after,
    segment,
    subject_path,
    target_of,
)

# The longest that the service lets a reset take; an injection and a heal end within their own limits, well below.
_LONGEST_RESET_SEC = 600.0
_LONGEST_FAULT_SEC = 180.0
# One slice of a long wait: shorter than the time-out of any proxy worth its name.
_SLICE_SEC = 20.0


class Client:
    """A subjectd service. Safe to share between threads: it keeps no connection.

    Every call is bounded: by ``timeout_sec`` for one exchange, by the documented limit for work that takes longer. A call whose connection
    fails is made again for up to ``retry_sec`` (a POST with the same idempotency key, so it is never done twice). Answers are the bodies
    that the service gives. Raises InvalidRequest (a ValueError) for a 400 and SubjectdError (a RuntimeError) for everything else.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8080",
        token: str | None = None,
        *,
        timeout_sec: float = 30.0,
        retry_sec: float = 2.0,
        busy_sec: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = Server(base_url, ssl_context)
        self._token = token
        self._timeout_sec = timeout_sec
        self._retry_sec = retry_sec
        self._busy_sec = busy_sec
        self._cancel = Cancel()

    def cancellable(self, cancel: Cancel) -> Client:
        """The same client, whose calls end when ``cancel`` is used."""
        twin = copy.copy(self)
        twin._cancel = cancel
        return twin

    # The service

    def healthz(self) -> Json:
        return self._get("/healthz")

    def readyz(self) -> Json:
        """``{ready, engine, ledger}``; not being ready is an answer, not an error."""
        return json_body(self._send("GET", "/readyz", expected=(200, 503)))

    def metrics(self) -> str:
        return self._send("GET", "/metrics").body.decode("utf-8")

    def openapi(self) -> Json:
        return self._get("/openapi.json")

    # Kinds and subjects

    def kinds(self) -> list[Json]:
        return list(self._pages("/v1/kinds", "kinds"))

    def kind(self, kind: str) -> Json:
        return self._get(f"/v1/kinds/{segment(kind)}")

    def subjects(self) -> list[Json]:
        return list(self._pages("/v1/subjects", "subjects"))

    def create_subject(self, kind: str, name: str | None = None) -> Json:
        return json_body(self._send("POST", "/v1/subjects", given(kind=kind, name=name)))

    def subject(self, subject: str) -> Json:
        return self._get(subject_path(subject))

    def delete_subject(self, subject: str) -> Json:
        return self._operate("DELETE", subject_path(subject), limit_sec=_LONGEST_RESET_SEC, busy_sec=self._busy_sec)

    def reset(self, subject: str, timeout_sec: float | None = None) -> Json:
        """Answers when the subject is proven healthy. Waits for up to ``busy_sec`` while another operation holds it."""
        body = given(timeout_ms=None if timeout_sec is None else milliseconds(timeout_sec))
        limit = (_LONGEST_RESET_SEC if timeout_sec is None else timeout_sec) + _LONGEST_FAULT_SEC
        return self._operate("POST", f"{subject_path(subject)}/reset", body, limit_sec=limit, busy_sec=self._busy_sec)

    def health(self, subject: str, fresh: bool = False) -> Json:
        """What the poller saw last, or, with ``fresh``, what it sees now."""
        return self._get(f"{subject_path(subject)}/health", {"fresh": True if fresh else None})

    def wait_healthy(self, subject: str, timeout_sec: float = 60.0) -> Json:
        """The health as soon as it is good, or as it is after ``timeout_sec``. A service that is away meanwhile is waited for too."""
        if not timeout_sec >= 0:
            raise ValueError(f"timeout_sec must be a number of seconds, not {timeout_sec!r}")
        deadline = Deadline(timeout_sec)
        while True:
            wait = min(_SLICE_SEC, deadline.left())
            query: Query = {"wait": "healthy", "timeout_ms": milliseconds(wait)} if wait > 0 else {"fresh": True}
            path = f"{subject_path(subject)}/health"
            try:
                health = json_body(self._send("GET", path, query=query, timeout_sec=wait + self._timeout_sec, retry_sec=0))
                if health.get("healthy") is True or deadline.left() <= 0:
                    return health
            except (Unreachable, DeadlineExceeded):
                if deadline.left() <= 0:
                    raise
                self._cancel.pause(min(0.5, deadline.left()))

    def state(self, subject: str) -> Json:
        """``{subject, kind, captured_at, complete, missing, state}``."""
        return self._get(f"{subject_path(subject)}/state")

    # Captures

    def capture(self, subject: str, label: str | None = None) -> Json:
        """The state and the nodes, kept, with a fingerprint of what they were taken from. A subject that is being reset is an error at once."""
        return json_body(self._send("POST", f"{subject_path(subject)}/captures", given(label=label)))

    def captures(self, subject: str) -> Iterator[Json]:
        """Newest first, without what they hold; those of a copy that was torn down too."""
        return self._pages(f"{subject_path(subject)}/captures", "captures")

    def get_capture(self, subject: str, capture_id: str) -> Json:
        return self._get(f"{subject_path(subject)}/captures/{segment(capture_id)}")

    def compare(self, subject: str, capture_id: str, other_id: str) -> Json:
        """How ``other_id``, of any subject of the kind, differs: ``{comparable, equal, changes, masked, unknown, fingerprint, a, b}``."""
        return self._get(f"{subject_path(subject)}/captures/{segment(capture_id)}/diff/{segment(other_id)}")

    # Faults

    def chaos_types(self, subject: str) -> list[Json]:
        """All of them, with ``available`` and why not."""
        types: list[Json] = self._get(f"{subject_path(subject)}/chaos-types")["chaos_types"]
        return types

    def inject(
        self,
        subject: str,
        chaos_type: str,
        params: Mapping[str, Any] | None = None,
        *,
        target: Target | None = None,
        seed: int | None = None,
        ttl_ms: int | None = None,
        require_effect: bool | None = None,
        on_target_restart: str | None = None,
    ) -> Json:
        """Answers the fault, with the evidence that it took hold. ``target`` is a node's name or an object as the API has it.

        A busy subject is an error at once: a fault that comes later than asked for is another experiment.
        """
        body = fault_request(chaos_type, params, target, seed, ttl_ms, require_effect, on_target_restart)
        return self._operate("POST", f"{subject_path(subject)}/faults", body, limit_sec=_LONGEST_FAULT_SEC)

    def plan(
        self,
        subject: str,
        chaos_type: str,
        params: Mapping[str, Any] | None = None,
        *,
        target: Target | None = None,
        seed: int | None = None,
        ttl_ms: int | None = None,
    ) -> Json:
        """What ``inject`` would do, without doing it."""
        body = fault_request(chaos_type, params, target, seed, ttl_ms, None, None)
        return json_body(self._send("POST", f"{subject_path(subject)}/faults", {**body, "dry_run": True}))

    def faults(self, subject: str) -> Iterator[Json]:
        """Active and past ones, newest first."""
        return self._pages(f"{subject_path(subject)}/faults", "faults")

    def fault(self, subject: str, fault_id: str) -> Json:
        return self._get(f"{subject_path(subject)}/faults/{segment(fault_id)}")

    def renew(self, subject: str, fault_id: str, ttl_ms: int) -> Json:
        return json_body(self._send("PATCH", f"{subject_path(subject)}/faults/{segment(fault_id)}", {"ttl_ms": ttl_ms}))

    def heal(self, subject: str, fault_id: str) -> Json:
        """The fault; its ``heal`` says how it went. Waits for up to ``busy_sec`` while another operation holds the subject."""
        path = f"{subject_path(subject)}/faults/{segment(fault_id)}"
        return self._operate("DELETE", path, limit_sec=_LONGEST_FAULT_SEC, busy_sec=self._busy_sec)

    def heal_all(self, subject: str) -> list[Json]:
        """The faults that were healed. Gets through a busy subject by cancelling what holds it."""
        faults: list[Json] = self._operate("DELETE", f"{subject_path(subject)}/faults", limit_sec=_LONGEST_FAULT_SEC)["faults"]
        return faults

    # Operations and events

    def operation(self, operation_id: str, wait_sec: float = 0.0) -> Json:
        """As it is, or as it is at its end or after ``wait_sec``, at most ten minutes."""
        query = {"wait_ms": milliseconds(wait_sec)}
        return json_body(self._send("GET", f"/v1/operations/{segment(operation_id)}", query=query, timeout_sec=wait_sec + self._timeout_sec))

    def cancel_operation(self, operation_id: str) -> Json:
        return json_body(self._send("POST", f"/v1/operations/{segment(operation_id)}/cancel", {}))

    def list_events(
        self, after: int = 0, limit: int = 100, *, subject: str | None = None, type: str | None = None
    ) -> list[Json]:
        """Kept events behind the id ``after``, oldest first."""
        query = {"after": after, "limit": limit, "subject": subject, "type": type}
        events: list[Json] = self._get("/v1/events", query)["events"]
        return events

    def events(
        self,
        after: int | None = None,
        *,
        subject: str | None = None,
        type: str | None = None,
        idle_sec: float = 60.0,
        away_sec: float = 60.0,
    ) -> Generator[Json, None, None]:
        """Events as they come, without end; first the kept ones behind ``after`` when it is given.

        Goes on behind the last one after a broken connection, or one that is silent for ``idle_sec`` (the service gives a sign of life every
        15 s); raises SubjectdError when it cannot be opened again for ``away_sec``.
        """
        target = target_of("/v1/events", {"subject": subject, "type": type})
        parser = EventParser(None if after is None else str(after))
        while True:
            yield from self._events_once(target, parser, idle_sec, away_sec)
            self._cancel.pause(parser.retry_sec)

    def _events_once(self, target: str, parser: EventParser, idle_sec: float, away_sec: float) -> Iterator[Json]:
        away = Deadline(away_sec)
        while True:
            headers = {"Accept": "text/event-stream", **({} if parser.last_id is None else {"Last-Event-ID": parser.last_id})}
            parser.start()
            lines = self._server.stream(target, self._headers(headers), Deadline(self._timeout_sec), idle_sec, self._cancel)
            opened = False
            try:
                for head, line in lines:
                    if line is None:
                        expect(head, (200,))
                        opened = True
                        continue
                    event = parser.feed(line)
                    if event is not None:
                        yield event
                return
            except SubjectdError as error:
                if error.status not in (None, 502, 503, 504):
                    raise
                if opened:
                    return
                if away.left() <= parser.retry_sec:
                    raise
            self._cancel.pause(parser.retry_sec)

    # How calls are made

    def _get(self, path: str, query: Query | None = None) -> Json:
        return json_body(self._send("GET", path, query=query))

    def _pages(self, path: str, name: str) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            page = self._get(path, {"cursor": cursor})
            yield from page[name]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _operate(self, method: str, path: str, body: Json | None = None, *, limit_sec: float, busy_sec: float = 0.0) -> Json:
        """A call that is an operation behind: answers its result, however long it takes, in exchanges that are short each."""
        deadline = Deadline(limit_sec + busy_sec)
        headers = {"Prefer": f"wait={_SLICE_SEC:g}", **idempotency_key(method)}
        busy = Deadline(busy_sec)
        while True:
            try:
                answer = self._send(method, path, body, headers=headers, expected=(200, 201, 202), timeout_sec=_SLICE_SEC + self._timeout_sec)
                break
            except SubjectdError as error:
                wait = retry_after(error)
                if error.code != "subject_busy" or busy.left() <= 0:
                    raise
            self._cancel.pause(min(wait, max(busy.left(), 0.05)))
        return json_body(answer) if answer.status != 202 else self._follow(json_body(answer)["id"], deadline)

    def _follow(self, operation_id: str, deadline: Deadline) -> Json:
        while True:
            if deadline.left() <= 0:
                text = f"Operation {operation_id} is still running after {deadline.seconds:g} s"
                raise DeadlineExceeded(text, operation=operation_id)
            operation = self.operation(operation_id, min(_SLICE_SEC, deadline.left()))
            if operation["state"] == "succeeded":
                result: Json = operation["result"]
                return result
            if operation["state"] != "running":
                cancelled = {"code": "operation_cancelled", "status": 409, "detail": f"Operation {operation_id} was cancelled."}
                raise error_of({**(operation.get("error") or cancelled), "operation": operation_id})

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        expected: tuple[int, ...] = (200, 201),
        timeout_sec: float | None = None,
        retry_sec: float | None = None,
    ) -> Response:
        """One exchange, made again while the connection fails. All retries of a POST carry the same key."""
        content = None if body is None else encode(body)
        sent = {"Accept": "application/json", **({} if content is None else {"Content-Type": "application/json"}), **(headers or {})}
        if method == "POST" and "Idempotency-Key" not in sent:
            sent.update(idempotency_key(method))
        target = target_of(path, query)
        away = Deadline(self._retry_sec if retry_sec is None else retry_sec)
        pause = 0.05
        while True:
            deadline = Deadline(self._timeout_sec if timeout_sec is None else timeout_sec)
            try:
                return expect(self._server.exchange(method, target, self._headers(sent), content, deadline, self._cancel), expected)
            except Unreachable:
                if away.left() <= pause:
                    raise
            self._cancel.pause(pause)
            pause = min(pause * 2, 1.0)

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        return headers if self._token is None else {**headers, "Authorization": f"Bearer {self._token}"}
