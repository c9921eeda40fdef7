"""What is made of answers, and of what is asked, when the service cannot be made to give them on demand."""

from __future__ import annotations

import unittest
from typing import Any

from subjectd_client import Client, EvalSubject, HealNotClean, InvalidRequest, SubjectdError

from .samples import FAULT, HEALED, run
from .scripted import Scripted, gives, problem


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

    def test_captures_are_taken_with_a_label_listed_page_by_page_and_compared(self) -> None:
        pages = gives(200, {"captures": [{"id": "cap_2"}], "next_cursor": "cap_2"}), gives(200, {"captures": [{"id": "cap_1"}], "next_cursor": None})
        with Scripted(gives(201, {"id": "cap_2"}), *pages, gives(200, {"equal": True})) as server:
            client = Client(server.url)
            self.assertEqual(client.capture("etcd", label="before"), {"id": "cap_2"})
            self.assertEqual([capture["id"] for capture in client.captures("etcd")], ["cap_2", "cap_1"])
            self.assertEqual(client.compare("etcd", "cap_1", "../2"), {"equal": True})
        self.assertEqual(server.calls[0].body, {"label": "before"})
        self.assertTrue(server.calls[0].headers["idempotency-key"])
        at = "/v1/subjects/etcd/captures"
        self.assertEqual([call.path for call in server.calls], [at, at, f"{at}?cursor=cap_2", f"{at}/cap_1/diff/..%2F2"])

    def test_a_capture_of_a_subject_that_is_reset_is_an_error_at_once(self) -> None:
        with Scripted(problem(409, "subject_busy")) as server:
            with self.assertRaises(SubjectdError) as raised:
                Client(server.url).capture("etcd")
        self.assertEqual((raised.exception.code, len(server.calls)), ("subject_busy", 1))

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


if __name__ == "__main__":
    unittest.main()
