"""Blocking calls from a coroutine."""

from __future__ import annotations

import asyncio
import threading
from typing import Callable, TypeVar

from .transport import Cancel

T = TypeVar("T")


async def offload(call: Callable[[], T], cancel: Cancel) -> T:
    """Runs ``call`` in a thread of its own; cancelling the await uses ``cancel``.

    Not asyncio.to_thread: waits here last minutes, and its pool is small and shared with the caller's own use of it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: object, error: object) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]
        else:
            future.set_exception(error)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:  # handed to the awaiting side, whatever it is
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    # A daemon: a program that ends does not wait for an answer that it no longer wants.
    threading.Thread(target=run, name="subjectd-client", daemon=True).start()
    try:
        return await future
    finally:
        cancel.cancel()
