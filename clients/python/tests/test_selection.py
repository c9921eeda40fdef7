"""A second implementation of the target selection `sha256-v1`, against the vectors of the documentation."""

import hashlib
import json
import random
import unittest
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[3] / "docs" / "sha256-v1.json"


def select(seed, candidates, count):
    left = sorted(candidates)  # Python compares strings by code point.
    chosen, draws = [], []
    for number in range(count):
        text = json.dumps([seed, number, left], separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(text.encode("utf-8")).digest()
        index = int.from_bytes(digest[:8], "big") % len(left)
        draws.append(index)
        chosen.append(left.pop(index))
    return chosen, draws


class Selection(unittest.TestCase):
    def test_the_vectors_of_the_documentation_hold(self):
        vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(vectors), 10)
        for vector in vectors:
            with self.subTest(seed=vector["seed"], candidates=vector["candidates"]):
                chosen, draws = select(vector["seed"], vector["candidates"], vector["count"])
                self.assertEqual((chosen, draws), (vector["chosen"], vector["draws"]))

    def test_the_order_of_the_candidates_does_not_matter(self):
        dice = random.Random(7)
        for _ in range(1000):
            names = [f"node{dice.randrange(100)}-{i}" for i in range(dice.randrange(1, 9))]
            shuffled = dice.sample(names, len(names))
            seed = dice.randrange(2**53)
            self.assertEqual(select(seed, names, len(names)), select(seed, shuffled, len(names)))


if __name__ == "__main__":
    unittest.main()
