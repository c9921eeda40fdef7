"""What a harness may do to an await, and the wire must bear: other work meanwhile, a cancellation, a failure in the context."""

from __future__ import annotations

import asyncio
import threading
import unittest
from typing import Any

from subjectd_client import EvalSubject

from .samples import FAULT, HEALED, run
from .scripted import PATIENCE_SEC, Call, Scripted, gives


class Coroutines(unittest.TestCase):
    def test_other_coroutines_run_while_a_call_waits(self) -> None:
        proceed = threading.Event()

        def when_told(call: Call) -> None:
            call.answer(200 if proceed.wait(PATIENCE_SEC) else 500, {"state": {"term": 2}})

        async def script(url: str) -> dict[str, Any]:
            capture = asyncio.create_task(EvalSubject(url, "etcd").capture_state())
            await asyncio.sleep(0)  # the task starts first
            proceed.set()
            return await capture

        with Scripted(when_told) as server:
            self.assertEqual(run(script(server.url)), {"term": 2})

    def test_a_cancelled_await_closes_its_connection(self) -> None:
        arrived, gone = threading.Event(), threading.Event()

        def watch(call: Call) -> None:
            arrived.set()
            if call.wait_until_the_client_is_gone():
                gone.set()

        async def script(url: str) -> None:
            waiting = asyncio.create_task(EvalSubject(url, "etcd").wait_healthy(300))
            await asyncio.get_running_loop().run_in_executor(None, arrived.wait, PATIENCE_SEC)
            waiting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiting
            self.assertTrue(await asyncio.get_running_loop().run_in_executor(None, gone.wait, PATIENCE_SEC))

        with Scripted(watch) as server:
            run(script(server.url))

    def test_a_cancelled_await_is_not_tried_again(self) -> None:
        first = threading.Event()

        def drop(call: Call) -> None:
            first.set()
            call.hang_up()

        async def script(url: str) -> None:
            waiting = asyncio.create_task(EvalSubject(url, "etcd", retry_sec=300).capture_state())
            await asyncio.get_running_loop().run_in_executor(None, first.wait, PATIENCE_SEC)
            waiting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiting
            for thread in threading.enumerate():
                if thread.name == "subjectd-client":
                    await asyncio.get_running_loop().run_in_executor(None, thread.join, PATIENCE_SEC / 2)
                    self.assertFalse(thread.is_alive())

        with Scripted(*[drop] * 100) as server:
            run(script(server.url))

    def test_the_context_heals_what_was_injected_in_it(self) -> None:
        async def script(url: str) -> None:
            async with EvalSubject(url, "etcd") as subject:
                await subject.inject_chaos("node_kill")
                raise KeyError("the harness failed")

        with Scripted(gives(201, FAULT), gives(200, HEALED)) as server:
            with self.assertRaises(KeyError):
                run(script(server.url))
        self.assertEqual((server.calls[1].method, server.calls[1].path), ("DELETE", "/v1/subjects/etcd/faults/flt_1"))

    def test_the_context_heals_everything_when_an_injection_has_no_answer(self) -> None:
        arrived = threading.Event()

        def silent(call: Call) -> None:
            arrived.set()
            call.wait_until_the_client_is_gone()

        async def script(url: str) -> None:
            async with EvalSubject(url, "etcd") as subject:
                injecting = asyncio.create_task(subject.inject_chaos("node_kill"))
                await asyncio.get_running_loop().run_in_executor(None, arrived.wait, PATIENCE_SEC)
                injecting.cancel()
                await asyncio.gather(injecting, return_exceptions=True)

        with Scripted(silent, gives(200, {"faults": [HEALED]})) as server:
            run(script(server.url))
        self.assertEqual((server.calls[1].method, server.calls[1].path), ("DELETE", "/v1/subjects/etcd/faults"))


if __name__ == "__main__":
    unittest.main()
