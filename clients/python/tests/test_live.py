"""The client against a running service and real systems.

SUBJECTD_URL (required), SUBJECTD_TOKEN, and SUBJECTD_TEST_SUBJECTS: names separated by commas, `etcd` when it is not set.
"""

from __future__ import annotations

import asyncio
import os
import unittest
from typing import Any

from subjectd_client import Client, EvalSubject, EvalSubjectProtocol, InvalidRequest, SubjectdError

SUBJECTS = [name.strip() for name in os.environ.get("SUBJECTD_TEST_SUBJECTS", "etcd").split(",") if name.strip()]
TRIAL_SEC = 300.0


class Live(unittest.IsolatedAsyncioTestCase):
    """Each test starts from a healthy subject, and leaves nothing active behind."""

    def setUp(self) -> None:
        url = os.environ.get("SUBJECTD_URL")
        if not url:
            self.fail("SUBJECTD_URL is not set: these tests need a running service, like SUBJECTD_URL=http://127.0.0.1:8080")
        self.assertTrue(SUBJECTS, "SUBJECTD_TEST_SUBJECTS names no subject")
        self.url = url
        self.token = os.environ.get("SUBJECTD_TOKEN") or None
        self.client = Client(self.url, self.token)

    async def asyncSetUp(self) -> None:
        # The tests themselves block the loop, on purpose, when they look at something with the blocking client.
        asyncio.get_running_loop().slow_callback_duration = TRIAL_SEC

    def subject(self, name: str) -> EvalSubject:
        return EvalSubject(self.url, name, self.token)

    def running(self, name: str) -> list[str]:
        return [node["name"] for node in self.client.subject(name)["nodes"] if node["state"] == "running"]

    def active(self, name: str) -> list[str]:
        return [fault["id"] for fault in self.client.faults(name) if fault["state"] not in ("healed", "failed")]

    async def ready(self, name: str, subject: EvalSubject) -> None:
        """Has the subject healthy: by a reset, unless the test before left it so."""
        if self.client.subject(name)["phase"] != "running" or not await subject.wait_healthy(timeout_sec=10.0):
            await subject.reset()

    async def each(self, script: Any) -> None:
        for name in SUBJECTS:
            with self.subTest(subject=name):
                async with self.subject(name) as subject:
                    await asyncio.wait_for(script(name, subject), TRIAL_SEC)
                self.assertEqual(self.active(name), [])

    async def test_a_whole_trial_as_the_original_protocol_has_it(self) -> None:
        async def script(name: str, subject: EvalSubject) -> None:
            self.assertIsInstance(subject, EvalSubjectProtocol)
            await subject.reset()
            self.assertIs(await subject.wait_healthy(timeout_sec=60.0), True)
            self.assertIsInstance(await subject.capture_state(), dict)
            types = subject.get_chaos_types()
            self.assertIn("none", types)
            self.assertIn("node_kill", types)

            before = self.client.capture(name, label="before")
            everyone = self.running(name)
            metadata = await subject.inject_chaos("node_kill", seed=7)
            self.assertEqual(metadata["chaos_type"], "node_kill")
            self.assertEqual(metadata["signal"], "SIGKILL")
            (dead,) = set(everyone) - set(self.running(name))
            self.assertIn(dead, metadata["target_container"])
            self.assertIs(await subject.wait_healthy(timeout_sec=0), False)
            self.assertIsInstance(await subject.capture_state(), dict)

            await subject.cleanup_chaos(metadata)
            self.assertIs(await subject.wait_healthy(), True)
            self.assertEqual(self.running(name), everyone)
            await subject.cleanup_chaos(metadata)  # again: nothing is left to do
            after = self.client.capture(name, label="after")
            compared = self.client.compare(name, before["id"], after["id"])
            self.assertEqual((compared["comparable"], compared["unknown"]), (True, []))
            labels = [capture["label"] for _, capture in zip(range(2), self.client.captures(name))]
            self.assertEqual(labels, ["after", "before"])
            self.assertEqual(self.client.get_capture(name, before["id"]), before)

        await self.each(script)

    async def test_the_baseline_changes_nothing_and_is_cleaned_up_like_any_other(self) -> None:
        async def script(name: str, subject: EvalSubject) -> None:
            await self.ready(name, subject)
            before = self.running(name)
            metadata = await subject.inject_chaos("none")
            self.assertEqual(metadata["chaos_type"], "none")
            self.assertEqual(self.running(name), before)
            await subject.cleanup_chaos(metadata)
            self.assertIs(await subject.wait_healthy(), True)

        await self.each(script)

    async def test_the_same_seed_chooses_the_same_node(self) -> None:
        async def script(name: str, subject: EvalSubject) -> None:
            await self.ready(name, subject)
            chosen = []
            for _ in range(2):
                metadata = await subject.inject_chaos("node_kill", seed=11)
                chosen.append(metadata["target_container"])
                await subject.cleanup_chaos(metadata)
            self.assertEqual(chosen[0], chosen[1])
            planned = self.client.plan(name, "node_kill", seed=11)
            self.assertEqual([target["container"] for target in planned["targets"]], chosen[:1])

        await self.each(script)

    async def test_bad_requests_are_value_errors_and_change_nothing(self) -> None:
        async def script(name: str, subject: EvalSubject) -> None:
            await self.ready(name, subject)
            before = self.running(name)
            with self.assertRaisesRegex(ValueError, r"Unknown chaos type: meteor\. Supported: \[.*node_kill.*\]"):
                await subject.inject_chaos("meteor")
            for params in ({"no_such_parameter": 1}, {"target": "no_such_node"}, {"ttl_ms": 0}, {"seed": -1}, {"signal": 9.5}):
                with self.subTest(params=params), self.assertRaises(InvalidRequest):
                    await subject.inject_chaos("node_kill", **params)
            self.assertEqual(self.running(name), before)
            self.assertEqual(self.active(name), [])

        await self.each(script)

    async def test_no_running_candidate_is_a_runtime_error(self) -> None:
        async def script(name: str, subject: EvalSubject) -> None:
            await self.ready(name, subject)
            metadata = await subject.inject_chaos("node_kill")
            (dead,) = [fault["targets"][0]["node"] for fault in self.client.faults(name) if fault["id"] == metadata["fault_id"]]
            with self.assertRaises(RuntimeError) as raised:
                await subject.inject_chaos("node_kill", target=dead)
            self.assertIsInstance(raised.exception, SubjectdError)
            await subject.cleanup_chaos(metadata)
            await subject.cleanup_chaos(await subject.inject_chaos("node_kill", target=dead))

        await self.each(script)

    async def test_what_does_not_exist_is_a_runtime_error(self) -> None:
        for name in ("no-such-subject", "../../etc", "a b;rm"):
            with self.subTest(name), self.assertRaises(RuntimeError) as raised:
                await self.subject(name).reset()
            self.assertIsInstance(raised.exception, SubjectdError)
            self.assertEqual(raised.exception.code, "subject_not_found")  # type: ignore[attr-defined]
        with self.assertRaises(RuntimeError):
            await self.subject(SUBJECTS[0]).cleanup_chaos({"fault_id": "flt_none"})

    async def test_a_context_heals_what_a_failing_harness_left(self) -> None:
        name = SUBJECTS[0]
        with self.assertRaises(KeyError):
            async with self.subject(name) as subject:
                await subject.reset()
                await subject.inject_chaos("node_kill")
                raise KeyError("the harness failed")
        self.assertEqual(self.active(name), [])
        self.assertIs(await self.subject(name).wait_healthy(), True)

    async def test_a_cancelled_reset_goes_on_and_the_next_one_waits_for_it(self) -> None:
        subject = self.subject(SUBJECTS[0])
        await subject.reset()
        generation = self.client.subject(SUBJECTS[0])["generation"]
        events = self.client.events(subject=SUBJECTS[0], after=self.last_event())
        resetting = asyncio.create_task(subject.reset())
        await asyncio.get_running_loop().run_in_executor(None, next, events)  # it has begun
        events.close()
        resetting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await resetting
        await asyncio.wait_for(subject.reset(), TRIAL_SEC)
        self.assertEqual(self.client.subject(SUBJECTS[0])["generation"], generation + 2)

    async def test_concurrent_subjects_do_not_wait_for_each_other(self) -> None:
        subjects = [self.subject(name) for name in SUBJECTS]
        await asyncio.wait_for(asyncio.gather(*(subject.reset() for subject in subjects)), TRIAL_SEC)
        healthy = await asyncio.gather(*(subject.wait_healthy() for subject in subjects))
        self.assertEqual(healthy, [True] * len(subjects))

    async def test_events_tell_of_a_fault_in_order(self) -> None:
        name = SUBJECTS[0]
        subject = self.subject(name)
        await subject.reset()
        events = self.client.events(subject=name, after=self.last_event())
        metadata = await subject.inject_chaos("none")
        await subject.cleanup_chaos(metadata)
        seen: list[dict[str, Any]] = []
        while not seen or "healed" not in seen[-1]["type"]:
            seen.append(await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, next, events), 30))
        events.close()
        ids = [event["id"] for event in seen]
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual({event["subject"] for event in seen}, {name})
        self.assertEqual(self.client.list_events(ids[0] - 1, subject=name)[: len(seen)], seen)

    async def test_the_rest_of_the_api_answers(self) -> None:
        name = SUBJECTS[0]
        client = self.client
        self.assertEqual(client.healthz()["status"], "ok")
        self.assertEqual(client.readyz()["ready"], True)
        self.assertIn("# TYPE", client.metrics())
        self.assertTrue(client.openapi()["openapi"].startswith("3.1"))
        kind = client.subject(name)["kind"]
        self.assertIn(kind, [entry["name"] for entry in client.kinds()])
        self.assertEqual(client.kind(kind)["name"], kind)
        self.assertIn(name, [entry["name"] for entry in client.subjects()])
        client.reset(name)
        state = client.state(name)
        self.assertEqual((state["subject"], state["complete"], state["missing"]), (name, True, []))
        self.assertEqual(client.health(name, fresh=True)["healthy"], True)
        fault = client.inject(name, "none", ttl_ms=60_000)
        self.assertEqual(client.fault(name, fault["id"])["id"], fault["id"])
        self.assertGreater(client.renew(name, fault["id"], 120_000)["expires_at"], fault["expires_at"])
        self.assertEqual([healed["id"] for healed in client.heal_all(name)], [fault["id"]])

    async def test_another_copy_can_be_made_used_and_torn_down(self) -> None:
        kind = self.client.subject(SUBJECTS[0])["kind"]
        copy = self.client.create_subject(kind)["name"]
        try:
            subject = self.subject(copy)
            await asyncio.wait_for(subject.reset(), TRIAL_SEC)
            self.assertIs(await subject.wait_healthy(), True)
        finally:
            self.client.delete_subject(copy)
        self.assertNotIn(copy, [entry["name"] for entry in self.client.subjects()])

    async def test_a_wrong_token_is_a_runtime_error(self) -> None:
        if self.token is None:
            self.skipTest("SUBJECTD_TOKEN is not set: the service takes everybody")
        for wrong in ("wrong-token-0123456", self.token[:-1], None):
            with self.subTest(wrong), self.assertRaises(SubjectdError) as raised:
                Client(self.url, wrong).subjects()
            self.assertEqual((raised.exception.status, raised.exception.code), (401, "unauthorized"))

    def last_event(self) -> int:
        last = 0
        while events := self.client.list_events(last, 1000):
            last = events[-1]["id"]
        return last


if __name__ == "__main__":
    unittest.main()
