"""What happens when the wire, or somebody on it, misbehaves. Everything else is tested against the live service."""

from __future__ import annotations

import asyncio
import socket
import threading
import unittest
from typing import Any

from subjectd_client import Client, DeadlineExceeded, EvalSubject, HealNotClean, InvalidRequest, SubjectdError, Unreachable

from .scripted import PATIENCE_SEC, Call, Scripted, gives, hangs_up, problem, says_nothing

HEALED: dict[str, Any] = {"id": "flt_1", "state": "healed", "heal": {"verdict": "clean", "residue": []}, "metadata": {"fault_id": "flt_1"}}
FAULT: dict[str, Any] = {"id": "flt_1", "state": "active", "heal": None, "metadata": {"fault_id": "flt_1", "chaos_type": "node_kill"}}
OPERATION: dict[str, Any] = {"id": "op_1", "state": "running", "result": None, "error": None}


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE_SEC))


class Retries(unittest.TestCase):
    def test_a_call_whose_connection_broke_is_made_again_with_the_same_key(self) -> None:
        with Scripted(hangs_up, gives(201, FAULT)) as server:
            fault = Client(server.url).inject("etcd", "node_kill", seed=7)
        self.assertEqual(fault, FAULT)
        first, second = server.calls
        self.assertEqual(first.body, {"chaos_type": "node_kill", "seed": 7})
        self.assertEqual(second.body, first.body)
        self.assertTrue(first.headers["idempotency-key"])
        self.assertEqual(second.headers["idempotency-key"], first.headers["idempotency-key"])

    def test_two_calls_never_share_a_key(self) -> None:
        with Scripted(gives(201, FAULT), gives(201, FAULT)) as server:
            client = Client(server.url)
            client.inject("etcd", "node_kill")
            client.inject("etcd", "node_kill")
        self.assertNotEqual(server.calls[0].headers["idempotency-key"], server.calls[1].headers["idempotency-key"])

    def test_an_answer_that_is_cut_off_is_asked_for_again(self) -> None:
        def cut_off(call: Call) -> None:
            call.answer(200, b'{"healthy": tr', {"Content-Length": "500"})
            call.hang_up()

        with Scripted(cut_off, gives(200, {"healthy": True})) as server:
            self.assertEqual(Client(server.url).health("etcd"), {"healthy": True})

    def test_nobody_there_is_a_runtime_error_that_names_the_address(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
            port = taken.getsockname()[1]
            with self.assertRaises(Unreachable) as raised:
                Client(f"http://127.0.0.1:{port}", retry_sec=0).subjects()
        self.assertIsInstance(raised.exception, RuntimeError)
        self.assertIn(str(port), str(raised.exception))

    def test_a_service_that_is_away_for_a_moment_is_waited_for(self) -> None:
        with Scripted(hangs_up, hangs_up, gives(200, {"healthy": False}), gives(200, {"healthy": True})) as server:
            self.assertTrue(run(EvalSubject(server.url, "etcd").wait_healthy(timeout_sec=PATIENCE_SEC)))

    def test_a_silent_service_is_given_up_and_the_call_is_not_repeated(self) -> None:
        with Scripted(says_nothing) as server:
            with self.assertRaises(DeadlineExceeded):
                Client(server.url, timeout_sec=0.2).state("etcd")
        self.assertEqual(len(server.calls), 1)


class Busy(unittest.TestCase):
    def test_a_reset_and_a_cleanup_wait_for_a_busy_subject(self) -> None:
        busy = problem(409, "subject_busy")
        steps = [busy, gives(200, {"healthy": True}), gives(200, {"chaos_types": []}), busy, busy, gives(200, HEALED)]
        with Scripted(*steps) as server:
            subject = EvalSubject(server.url, "etcd")
            run(subject.reset())
            run(subject.cleanup_chaos({"fault_id": "flt_1"}))
        self.assertEqual(len(server.calls), len(steps))

    def test_an_injection_does_not_wait(self) -> None:
        with Scripted(problem(409, "subject_busy", "Held by op_9.")) as server:
            with self.assertRaises(SubjectdError) as raised:
                run(EvalSubject(server.url, "etcd").inject_chaos("node_kill"))
        self.assertEqual(raised.exception.code, "subject_busy")
        self.assertEqual(str(raised.exception), "Held by op_9. [subject_busy]")
        self.assertEqual(len(server.calls), 1)

    def test_other_conflicts_are_not_waited_out(self) -> None:
        with Scripted(problem(409, "port_taken")) as server:
            with self.assertRaises(SubjectdError):
                Client(server.url).reset("etcd")
        self.assertEqual(len(server.calls), 1)

    def test_waiting_ends(self) -> None:
        with Scripted(problem(409, "subject_busy"), problem(409, "subject_busy")) as server:
            with self.assertRaises(SubjectdError):
                Client(server.url, busy_sec=0).reset("etcd")
        self.assertEqual(len(server.calls), 1)


class LongWork(unittest.TestCase):
    def test_a_call_that_becomes_an_operation_is_followed_to_its_result(self) -> None:
        done = {**OPERATION, "state": "succeeded", "result": {"healthy": True, "generation": 3}}
        with Scripted(gives(202, OPERATION), gives(200, OPERATION), gives(200, done)) as server:
            self.assertEqual(Client(server.url).reset("etcd", 120), {"healthy": True, "generation": 3})
        self.assertIn("wait=", server.calls[0].headers["prefer"])
        self.assertEqual(server.calls[0].body, {"timeout_ms": 120_000})
        self.assertTrue(server.calls[1].path.startswith("/v1/operations/op_1?wait_ms="))

    def test_an_operation_that_failed_raises_its_problem(self) -> None:
        error = {"code": "not_healthy", "status": 504, "detail": "etcd1 was not healthy in time.", "nodes": ["etcd1"]}
        with Scripted(gives(202, OPERATION), gives(200, {**OPERATION, "state": "failed", "error": error})) as server:
            with self.assertRaises(SubjectdError) as raised:
                run(EvalSubject(server.url, "etcd").reset())
        self.assertEqual(raised.exception.problem["nodes"], ["etcd1"])
        self.assertEqual(raised.exception.problem["operation"], "op_1")

    def test_a_cancelled_operation_is_an_error(self) -> None:
        with Scripted(gives(202, OPERATION), gives(200, {**OPERATION, "state": "cancelled"})) as server:
            with self.assertRaises(SubjectdError) as raised:
                Client(server.url).reset("etcd")
        self.assertEqual(raised.exception.code, "operation_cancelled")


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


class Answers(unittest.TestCase):
    def test_a_heal_that_is_not_clean_names_what_is_left(self) -> None:
        heal = {"verdict": "dirty", "residue": [{"node": "etcd1", "what": "still paused"}]}
        with Scripted(gives(200, {**HEALED, "state": "residue", "heal": heal})) as server:
            with self.assertRaises(HealNotClean) as raised:
                run(EvalSubject(server.url, "etcd").cleanup_chaos(FAULT["metadata"]))
        self.assertIsInstance(raised.exception, RuntimeError)
        self.assertIn("etcd1: still paused", str(raised.exception))

    def test_what_a_proxy_answers_is_passed_on(self) -> None:
        with Scripted(gives(502, b"<h1>Bad gateway</h1>")) as server:
            with self.assertRaises(SubjectdError) as raised:
                Client(server.url).subjects()
        self.assertEqual(raised.exception.status, 502)
        self.assertIn("Bad gateway", str(raised.exception))

    def test_success_without_json_is_no_success(self) -> None:
        with Scripted(gives(200, b"<html>")) as server:
            with self.assertRaises(SubjectdError):
                Client(server.url).health("etcd")

    def test_a_400_is_a_value_error_with_the_text_as_it_is(self) -> None:
        text = "Unknown chaos type: x. Supported: [none, node_kill]"
        with Scripted(problem(400, "unknown_chaos_type", text, supported=["none", "node_kill"])) as server:
            with self.assertRaises(InvalidRequest) as raised:
                run(EvalSubject(server.url, "etcd").inject_chaos("x"))
        self.assertIsInstance(raised.exception, ValueError)
        self.assertEqual(str(raised.exception), text)
        self.assertEqual(raised.exception.problem["supported"], ["none", "node_kill"])

    def test_bad_input_that_need_not_be_sent_is_a_value_error(self) -> None:
        subject = EvalSubject("http://127.0.0.1:1", "etcd")
        strange: list[Any] = [{}, {"fault_id": ""}, {"fault_id": 7}, None]
        for metadata in strange:
            with self.assertRaises(ValueError):
                run(subject.cleanup_chaos(metadata))
        for value in (object(), float("nan")):
            with self.assertRaises(ValueError):
                run(subject.inject_chaos("latency", min_ms=value))
        with self.assertRaises(ValueError):
            run(subject.wait_healthy(-1))
        for url in ("127.0.0.1:8080", "ftp://x", "http://"):
            with self.assertRaises(ValueError):
                EvalSubject(url)

    def test_names_cannot_leave_their_place_in_the_path(self) -> None:
        names = {"..": "%2E%2E", "a/../b": "a%2F..%2Fb", "x?y#z": "x%3Fy%23z", "ä b": "%C3%A4%20b"}
        for name, quoted in names.items():
            with self.subTest(name), Scripted(gives(200, {})) as server:
                Client(server.url).subject(name)
                self.assertEqual(server.calls[0].path, f"/v1/subjects/{quoted}")
        with self.assertRaises(ValueError):
            Client().subject("")

    def test_the_token_and_the_path_of_a_proxy_are_used(self) -> None:
        with Scripted(gives(200, {"kinds": [], "next_cursor": None})) as server:
            Client(f"{server.url}/lab/", token="0123456789abcdef").kinds()
        self.assertEqual(server.calls[0].path, "/lab/v1/kinds")
        self.assertEqual(server.calls[0].headers["authorization"], "Bearer 0123456789abcdef")

    def test_reserved_words_leave_the_parameters(self) -> None:
        with Scripted(gives(201, FAULT)) as server:
            run(EvalSubject(server.url, "etcd").inject_chaos("latency", min_ms=5, target="etcd1", ttl_ms=9, seed=None))
        expected = {"chaos_type": "latency", "params": {"min_ms": 5}, "target": {"node": "etcd1"}, "ttl_ms": 9}
        self.assertEqual(server.calls[0].body, expected)

    def test_chaos_types_are_a_list_and_can_be_awaited(self) -> None:
        types = [{"name": "none", "available": True}, {"name": "latency", "available": False}, {"name": "node_kill", "available": True}]

        async def script(subject: EvalSubject) -> None:
            self.assertEqual(await subject.get_chaos_types(), ["none", "node_kill"])  # type: ignore[misc]

        with Scripted(gives(200, {"chaos_types": types})) as server:
            subject = EvalSubject(server.url, "etcd")
            self.assertEqual(subject.get_chaos_types(), ["none", "node_kill"])
            run(script(subject))
        self.assertEqual(len(server.calls), 1)


class Events(unittest.TestCase):
    @staticmethod
    def _event(number: int) -> bytes:
        return b'id: %d\nevent: x\ndata: {"id": %d}\n\n' % (number, number)

    def test_a_broken_stream_goes_on_behind_the_last_event(self) -> None:
        def stream(*numbers: int, rest: bytes = b"") -> Any:
            def step(call: Call) -> None:
                call.handler.send_response(200)
                call.handler.send_header("Content-Type", "text/event-stream")
                call.handler.end_headers()
                call.handler.wfile.write(b"retry: 1\n: hello\n\n" + b"".join(map(self._event, numbers)) + rest)
                call.hang_up()

            return step

        unfinished = b'id: 3\ndata: {"id": 3'
        with Scripted(stream(1, 2, rest=unfinished), hangs_up, stream(3, 4)) as server:
            events = Client(server.url).events(after=0, subject="etcd")
            self.assertEqual([next(events)["id"] for _ in range(4)], [1, 2, 3, 4])
            events.close()
        self.assertEqual([call.headers.get("last-event-id") for call in server.calls], ["0", "2", "2"])
        self.assertEqual(server.calls[0].path, "/v1/events?subject=etcd")

    def test_a_stream_that_is_refused_is_an_error(self) -> None:
        with Scripted(problem(401, "unauthorized")) as server:
            with self.assertRaises(SubjectdError) as raised:
                next(Client(server.url).events())
        self.assertEqual(raised.exception.code, "unauthorized")


if __name__ == "__main__":
    unittest.main()
