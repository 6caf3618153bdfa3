"""A training of 300 steps: memory stays where it is."""

import json
import unittest

from training_case import TrainingCase


class LongRun(TrainingCase):
    def test_three_hundred_steps_leak_nothing(self):
        # A small cache of evidence is full early, and what it drops makes room for what comes.
        self.train("run", grpo__steps=300, grpo__checkpoint_every=50, grpo__keep_checkpoints=1, judge__evidence_mib=1)
        rows = [json.loads(line) for line in (self.folder / "run/timings.jsonl").read_text().splitlines()]
        resident = [row["perf/rss_mib"] for row in rows if row["stage"] == "grpo"]
        self.assertEqual(len(resident), 300)
        early, late = sorted(resident[220:250])[15], sorted(resident[270:])[15]
        self.assertLess(late, 1.02 * early, f"MiB: {early:.1f} after 235 steps, {late:.1f} after 285")


if __name__ == "__main__":
    unittest.main()
