"""What a run has found out and must not find out differently: its journals, of any length, damaged, lost, and of faults."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import unittest

from training_case import OWN_DEV, TASKS, TrainingCase, children_of

# Scores are drawn, so that no second answer is the first one; texts of half the prompts get none when they are asked about
# first.
MOODY_REWARD = """
import json, random, sys
seen = set()
for line in sys.stdin:
    row = json.loads(line)
    text = row["prompt_id"] + row["completion"]
    busy = text not in seen and row["prompt_id"] in ("yes", "so")
    seen.add(text)
    print(json.dumps({"id": row["id"]} | ({"error": "busy"} if busy else {"score": random.random()})), flush=True)
"""
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
        # Prompts that differ: none is asked of the journal again.
        command = self.command("run", grpo__steps=2, grpo__checkpoint_every=1, grpo__prompts_per_step=2,
                               grpo__min_code_prompts=2)
        self.assertEqual(self.plumb(*command).returncode, 0)
        for path in (self.folder / "run").iterdir():  # back to a run that has only begun
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in ("manifest.json", "config.toml"):
                path.unlink()
        (self.folder / "run/verdicts.jsonl").symlink_to("/dev/null")  # which cannot be flushed
        result = self.plumb(*command, "--resume")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr.splitlines()[-1], r"verdicts\.jsonl: fsync failed")
        self.assertFalse((self.folder / "run/checkpoints/step-000001").exists())

    def assert_replays(self, run):
        for step in range(1, 5):
            result = self.plumb("replay", "--run", run, "--step", step)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertRegex(result.stdout, r"\n0 of [0-9]+ numbers differ")

    def assert_resumes(self, **settings):
        self.stopped_after_its_first_checkpoint("cut")
        self.assertEqual(self.plumb(*self.command("cut", "--resume", **settings)).returncode, 0)
        self.assert_same_run("whole", "cut")

    def samples(self, run):
        return [json.loads(line) for line in (self.folder / run / "samples.jsonl").read_text().splitlines()]

    def test_what_a_custom_reward_did_not_score_stays_unscored(self):
        (self.folder / "moody.py").write_text(MOODY_REWARD)
        (self.folder / "chat.jsonl").write_text("".join(
            json.dumps({"prompt": f"Say {word}.", "id": word, "split": "sft"}) + "\n" for word in ("yes", "no", "so", "me")))
        settings = SETTINGS | {"data__tasks": json.dumps([str(self.folder / "chat.jsonl")]), "reward__custom_role": "verdict",
                               "reward__custom_command": f"python3,{self.folder}/moody.py", "reward__custom_retries": 0,
                               "grpo__min_code_prompts": 0, "sampling__max_new_tokens": 2, "sampling__top_k": 2,
                               "grpo__dev_every": 1, **OWN_DEV, "eval__samples": 4}
        self.train("whole", **settings)
        self.assert_replays("whole")
        self.assert_resumes(**settings)
        # And a later visit of an equal text asks again.
        found = {}
        for sample in self.samples("whole"):
            found.setdefault((sample["prompt_id"], json.dumps(sample["text"])), []).append(bool(sample["unscored"]))
        self.assertTrue(any(True in each and False in each for each in found.values()), found)

    def test_what_the_judge_did_not_judge_stays_unscored(self):
        # Answers that are compared without it: steps whose scores are all lost would stop the run.
        chat = [{"prompt": f"Say {word}.", "id": word, "answer": word, "split": "sft"} for word in ("yes", "no")]
        (self.folder / "mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TASKS + chat))
        settings = SETTINGS | {"data__tasks": json.dumps([str(self.folder / "mixed.jsonl")]), "grpo__min_code_prompts": 3}
        command = [os.environ["PLUMB_BINARY"], *map(str, self.command("whole", **settings))]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if (self.folder / "whole/metrics.jsonl").exists():
                for launcher in children_of(process.pid, "plumb-sandbox"):
                    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                        os.kill(launcher, signal.SIGKILL)
        self.assertEqual(process.returncode, 0)
        lost = [sample for sample in self.samples("whole") if sample["verdict"] == "SE" and sample["unscored"]]
        self.assertTrue(lost, "no launcher was killed in time")
        self.assert_replays("whole")
        self.assert_resumes(**settings)


if __name__ == "__main__":
    unittest.main()
