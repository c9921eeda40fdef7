"""How calls are written and answers are read. Pure."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Union
from urllib.parse import quote, urlencode

from .errors import SubjectdError, error_of
from .transport import Response

Json = dict[str, Any]
Target = Union[str, Mapping[str, Any]]
Query = Mapping[str, Union[str, int, float, bool, None]]


def fault_request(
    chaos_type: str,
    params: Mapping[str, Any] | None,
    target: Target | None,
    seed: int | None,
    ttl_ms: int | None,
    require_effect: bool | None,
    on_target_restart: str | None,
) -> Json:
    return given(
        chaos_type=chaos_type,
        params=dict(params) if params else None,
        target={"node": target} if isinstance(target, str) else target,
        seed=seed,
        ttl_ms=ttl_ms,
        require_effect=require_effect,
        on_target_restart=on_target_restart,
    )


def given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def segment(name: str) -> str:
    """One path segment, whatever the name holds."""
    if not name:
        raise ValueError("a name must not be empty")
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")


def subject_path(subject: str) -> str:
    return f"/v1/subjects/{segment(subject)}"


def target_of(path: str, query: Query | None) -> str:
    sent = {name: value for name, value in (query or {}).items() if value is not None}
    if not sent:
        return path
    return f"{path}?{urlencode({name: str(value).lower() if isinstance(value, bool) else value for name, value in sent.items()})}"


def idempotency_key(method: str) -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}


def encode(body: Json) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode("utf-8")
    except TypeError as error:
        raise ValueError(f"This cannot be sent as JSON: {error}") from error


def expect(response: Response, expected: tuple[int, ...]) -> Response:
    if response.status in expected:
        return response
    raise error_of(_problem(response))


def _problem(response: Response) -> Json:
    """The problem that the service wrote, or one that tells what somebody in between wrote."""
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    problem = body if isinstance(body, dict) and "code" in body else None
    if problem is None:
        text = " ".join(response.body[:200].decode("utf-8", "replace").split())
        problem = {"code": f"http_{response.status}", "detail": f"HTTP {response.status}: {text}"}
    retry = {"retry_after": response.headers["retry-after"]} if "retry-after" in response.headers else {}
    return {**problem, "status": response.status, **retry}


def retry_after(error: SubjectdError) -> float:
    text = str(error.problem.get("retry_after", ""))
    return float(text) if text.isdigit() else 1.0


def json_body(response: Response) -> Json:
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise SubjectdError({"code": "not_json", "status": response.status, "detail": f"HTTP {response.status} without a JSON object"})
    return body
