"""Checks that TensorBoard itself reads what plumb wrote, and reads the same numbers as metrics.jsonl holds.

usage: tensorboard_check.py RUN_FOLDER

Loads every event file below RUN_FOLDER with TensorBoard's EventAccumulator and compares each finite value of
metrics.jsonl and timings.jsonl, as a 32-bit float, with the scalar of the same step whose tag is the name (stage
"grpo") or stage/name (the other stages). Needs the tensorboard package in a throw-away environment; no part of ./check.
"""

import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def as_float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def read_events(folder):
    """{(tag, step): set of values} over all event files below the folder."""
    scalars = {}
    for events in sorted({path.parent for path in folder.rglob("events.out.tfevents.*")}):
        accumulator = EventAccumulator(str(events), size_guidance={"scalars": 0})
        accumulator.Reload()
        for tag in accumulator.Tags()["scalars"]:
            for event in accumulator.Scalars(tag):
                scalars.setdefault((tag, event.step), set()).add(event.value)
    return scalars


def main():
    folder = Path(sys.argv[1])
    scalars = read_events(folder)
    expected = {}
    for name in ("metrics.jsonl", "timings.jsonl"):
        for line in (folder / name).read_text().splitlines():
            row = json.loads(line)
            for tag, value in row.items():
                if tag not in ("stage", "step") and value is not None:
                    tag = tag if row["stage"] == "grpo" else f"{row['stage']}/{tag}"
                    expected.setdefault((tag, row["step"]), set()).add(as_float32(value))
    missing = [key for key, values in expected.items() if not values & scalars.get(key, set())]
    print(f"{len(expected)} values written, {len(scalars)} scalars read, {len(missing)} missing or different")
    for tag, step in missing[:20]:
        print(f"  {tag} at step {step}: expected {expected[tag, step]}, TensorBoard has {scalars.get((tag, step))}")
    return 1 if missing or not expected else 0


if __name__ == "__main__":
    sys.exit(main())
