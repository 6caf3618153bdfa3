"""What a run has found out and must not find out differently: its journals, of any length, damaged, lost, and of faults."""

import json
import pathlib
import shutil
import unittest

from training_case import TrainingCase

SETTINGS = {"grpo__steps": 4, "grpo__checkpoint_every": 2}


class Journals(TrainingCase):
    def stopped_after_its_first_checkpoint(self, run):
        """`run` as a kill leaves it that comes after its last step and before that step's checkpoint."""
        shutil.copytree(self.folder / "whole", self.folder / run)
        shutil.rmtree(self.folder / run / "policy")
        shutil.rmtree(self.folder / run / "checkpoints/step-000004")
        return self.folder / run

    def resident_mib(self, run):
        return json.loads((self.folder / run / "timings.jsonl").read_text().splitlines()[-1])["perf/rss_mib"]

    def test_a_long_journal_takes_little_memory(self):
        self.train("whole", **SETTINGS)
        for run, extra in (("short", 0), ("long", 60_000)):
            verdicts = self.stopped_after_its_first_checkpoint(run) / "verdicts.jsonl"
            line = verdicts.read_text().splitlines()[0]
            with verdicts.open("a") as file:
                for number in range(extra):
                    file.write(line.replace('"key":"', f'"key":"{number:08x}', 1) + "\n")
            self.train(run, "--resume", **SETTINGS)
            self.assert_same_run("whole", run)
        self.assertLess(self.resident_mib("long"), self.resident_mib("short") + 20)

    def test_what_a_power_loss_left_at_the_end_is_cut_off_and_said(self):
        self.train("whole", **SETTINGS)
        run = self.stopped_after_its_first_checkpoint("run")
        with (run / "verdicts.jsonl").open("ab") as file:
            file.write(b'{"evidence":' + bytes(4096) + b'"00"}\n' + bytes(4096))
        result = self.train("run", "--resume", **SETTINGS)
        self.assertRegex(result.stderr, r"plumb: note: .*verdicts\.jsonl: its last 8[0-9]+ bytes were not written whole")
        self.assert_same_run("whole", "run")

    def test_damage_in_the_middle_is_refused_with_what_removing_the_file_would_lose(self):
        self.train("whole", **SETTINGS)
        verdicts = self.stopped_after_its_first_checkpoint("run") / "verdicts.jsonl"
        lines = verdicts.read_bytes().splitlines(keepends=True)
        verdicts.write_bytes(lines[0] + bytes(len(lines[1]) - 1) + b"\n" + b"".join(lines[2:]))
        result = self.plumb(*self.command("run", "--resume", **SETTINGS))
        self.assertEqual(result.returncode, 1)
        for words in ("verdicts.jsonl:2: not an entry of evidence", "judged again"):
            self.assertIn(words, result.stderr.splitlines()[-1])

    def test_verdicts_are_on_the_disk_before_a_checkpoint_counts_them(self):
        (self.folder / "run").mkdir()
        (self.folder / "run/verdicts.jsonl").symlink_to("/dev/null")  # which cannot be flushed
        # Prompts that differ: none is asked of the journal again.
        result = self.plumb(*self.command("run", grpo__steps=2, grpo__checkpoint_every=1,
                                         grpo__prompts_per_step=2, grpo__min_code_prompts=2))
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr.splitlines()[-1], r"verdicts\.jsonl: fsync failed")
        self.assertFalse((self.folder / "run/checkpoints/step-000001").exists())


if __name__ == "__main__":
    unittest.main()
