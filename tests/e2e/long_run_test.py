"""A training of 300 steps: memory stays where it is."""

import json
import os
import statistics
import unittest
import unittest.mock

from training_case import TASKS, TrainingCase

STEPS, PROMPTS = 300, 8


# The C library keeps a heap for each thread that found the others busy: how many there are, and when, is the load's doing.
@unittest.mock.patch.dict(os.environ, {"MALLOC_ARENA_MAX": "1"})
class LongRun(TrainingCase):
    def write_tasks(self):
        """As many as the run draws, each with a test of its own: no program is judged for the second time."""
        rows = []
        for number in range(STEPS * PROMPTS):
            row = TASKS[number % 2]
            step = 1 - 2 * (number % 2)
            rows.append(row | {"id": f"{row['id']}-{number}", "references": {"python": row["references"]["python"]},
                               "tests": [{"args": [n], "result": n + step} for n in (3, -2, 100 + number)]})
        (self.folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def test_three_hundred_steps_leak_nothing(self):
        self.write_tasks()
        # What is bounded is full before the first window: the cache of evidence, and the buffers of a micro-batch, which
        # grow with the largest one so far. The policy hardly moves, so that its completions stay as long as they are.
        self.train("run", grpo__steps=STEPS, grpo__prompts_per_step=PROMPTS, grpo__min_code_prompts=PROMPTS,
                   grpo__checkpoint_every=25, grpo__keep_checkpoints=1, grpo__learning_rate=1e-5, grpo__zero_spread="keep",
                   grpo__micro_batch_tokens=256, judge__evidence_mib=1,
                   data__tasks=json.dumps([str(self.folder / "tasks.jsonl")]), data__languages='["python"]')
        rows = [json.loads(line) for line in (self.folder / "run/timings.jsonl").read_text().splitlines()]
        resident = [row["perf/rss_mib"] for row in rows if row["stage"] == "grpo"]
        self.assertEqual(len(resident), STEPS)
        judged = len((self.folder / "run/verdicts.jsonl").read_text().splitlines())
        self.assertGreater(judged, 10 * STEPS)
        early, late = statistics.median(resident[90:120]), statistics.median(resident[270:])
        self.assertLess(late, 1.02 * early, f"MiB: {early:.1f} after 105 steps, {late:.1f} after 285; {judged} verdicts")


if __name__ == "__main__":
    unittest.main()
