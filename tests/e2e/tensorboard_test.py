"""TensorBoard itself reads what a run wrote: the numbers of metrics.jsonl and timings.jsonl, one of a name and step.
Skipped (exit status 77) where the tensorboard package is not installed."""

import collections
import json
import struct
import sys
import unittest

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("skipped: tensorboard is not installed")
    sys.exit(77)

from training_case import OWN_DEV, TrainingCase  # noqa: E402


def as_float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


class TensorBoard(TrainingCase):
    def events(self, run):
        """{(tag, step): values} over all event files of the run."""
        scalars = collections.defaultdict(list)
        accumulator = EventAccumulator(str(self.folder / run), size_guidance={"scalars": 0})
        accumulator.Reload()
        for tag in accumulator.Tags()["scalars"]:
            for event in accumulator.Scalars(tag):
                scalars[tag, event.step].append(event.value)
        return scalars

    def written(self, run):
        """The same of the run's JSON: stage "grpo" by its names alone, the others as stage/name."""
        expected = collections.defaultdict(list)
        for name in ("metrics.jsonl", "timings.jsonl"):
            for line in (self.folder / run / name).read_text().splitlines():
                row = json.loads(line)
                for tag, value in row.items():
                    if tag not in ("stage", "step") and value is not None:
                        tag = tag if row["stage"] == "grpo" else f"{row['stage']}/{tag}"
                        expected[tag, row["step"]].append(as_float32(value))
        return expected

    def assert_read(self, run):
        expected = self.written(run)
        self.assertGreater(len(expected), 10)
        self.assertEqual({key: sorted(values) for key, values in self.events(run).items()},
                         {key: sorted(values) for key, values in expected.items()})
        return expected

    def test_events_are_the_metrics(self):
        self.train("run", grpo__dev_every=2, **OWN_DEV)
        self.assert_read("run")
        result = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl", "--out",
                            "eval", "--set", "eval.temperatures=0.5,1.0", "--set", "sampling.max_new_tokens=64")
        self.assertEqual(result.returncode, 0, result.stderr)
        expected = self.assert_read("eval")
        self.assertEqual([key for key, values in expected.items() if len(values) > 1 and "timing" not in key[0]], [])


if __name__ == "__main__":
    unittest.main()
