"""Server-Sent Events, as far as the service writes them."""

from __future__ import annotations

import json
from typing import Any


class EventParser:
    """Takes lines, gives the events they complete. Remembers the last id and how long to wait before the stream is opened again."""

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self.retry_sec = 2.0
        self._id: str | None = None
        self._data: list[str] = []

    def start(self) -> None:
        """A new connection: what the old one left unfinished is dropped, it comes again."""
        self._id = None
        self._data = []

    def feed(self, line: bytes) -> dict[str, Any] | None:
        text = line.decode("utf-8").rstrip("\r\n")
        if text == "":
            return self._complete()
        field, _, value = text.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "id":
            self._id = value
        elif field == "data":
            self._data.append(value)
        elif field == "retry" and value.isdigit():
            self.retry_sec = int(value) / 1000
        return None

    def _complete(self) -> dict[str, Any] | None:
        if self._id is not None:
            self.last_id = self._id
        data, self._data, self._id = self._data, [], None
        if not data:
            return None
        event: dict[str, Any] = json.loads("\n".join(data))
        return event
