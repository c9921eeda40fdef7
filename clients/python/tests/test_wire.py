"""What happens when the wire, or somebody on it, misbehaves. What behaves is tested against the live service."""

from __future__ import annotations

import socket
import time
import unittest
from typing import Any

from subjectd_client import Client, DeadlineExceeded, EvalSubject, SubjectdError, Unreachable

from .samples import FAULT, HEALED, run
from .scripted import PATIENCE_SEC, Call, Scripted, gives, hangs_up, problem, says_nothing

OPERATION: dict[str, Any] = {"id": "op_1", "state": "running", "result": None, "error": None}


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

    def test_an_answer_that_comes_byte_by_byte_is_given_up_too(self) -> None:
        for head in (b"", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"):

            def drips(call: Call) -> None:
                try:
                    call.handler.wfile.write(head or b"HTTP/1.1 ")
                    while True:
                        call.handler.wfile.write(b"1")
                        time.sleep(0.1)
                except OSError:
                    call.handler.close_connection = True

            with self.subTest(head=head), Scripted(drips) as server:
                begun = time.monotonic()
                with self.assertRaises(DeadlineExceeded):
                    Client(server.url, timeout_sec=0.5).health("etcd")
                self.assertLess(time.monotonic() - begun, PATIENCE_SEC / 2)

    def test_a_host_that_takes_no_connection_is_unreachable_and_waited_for(self) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for one in waiting:  # fill its queue: the kernel drops what comes then
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            client = Client(f"http://127.0.0.1:{full.getsockname()[1]}", timeout_sec=0.3, retry_sec=0)
            with self.assertRaises(Unreachable):
                client.subjects()
            begun = time.monotonic()
            with self.assertRaises(Unreachable):
                client.wait_healthy("etcd", timeout_sec=1.5)
            self.assertGreaterEqual(time.monotonic() - begun, 1.5)
            for one in waiting:
                one.close()

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
