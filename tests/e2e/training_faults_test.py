"""Trainings that are killed, interrupted, damaged or full: the same bytes after a resume, nothing lost, one sentence."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
import unittest

from tiny_model import write_tiny_model_that_fills_in
from training_case import TrainingCase, overrides


class TrainingFaults(TrainingCase):
    def test_interrupt_saves_and_resume_goes_on_to_the_same_bits(self):
        self.train("whole", grpo__steps=6)
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command("cut", grpo__steps=6))],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "step   2/6" in line:
                process.send_signal(signal.SIGINT)
                break
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)  # not 0: a shell's && must not go on with what follows
        self.assertIn("--resume", output)
        self.assertLess(len(self.metrics("cut")), 6)
        self.assert_refused(self.plumb(*self.command("cut", grpo__steps=6)), 1, "already holds a run", "--resume")
        self.train("cut", "--resume", grpo__steps=6)
        self.assert_same_run("whole", "cut")

    def test_killed_run_resumes_from_its_last_checkpoint(self):
        self.train("whole", grpo__steps=5)
        process = subprocess.Popen(
            [os.environ["PLUMB_BINARY"], *map(str, self.command("cut", grpo__steps=5, grpo__checkpoint_every=2))],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "step   4/5" in line:
                process.kill()
                break
        process.communicate(timeout=60)
        self.train("cut", "--resume", grpo__steps=5, grpo__checkpoint_every=2)
        metrics = (self.folder / "whole/metrics.jsonl").read_bytes()
        self.assertEqual((self.folder / "cut/metrics.jsonl").read_bytes(), metrics)

    def test_killed_at_random_instants_it_ends_with_the_same_bytes(self):
        """PLUMB_KILLS (10) times SIGKILL, at instants spread over everything that a run does, of one run after another."""
        # What has most to come back: moments, a reference that moves, an entropy coefficient, several updates a step.
        settings = {"grpo__steps": 3, "grpo__checkpoint_every": 1, "grpo__kl": "k3", "grpo__reference": "ema",
                    "grpo__reference_every": 1, "grpo__reference_rate": 0.5, "grpo__zero_spread": "keep",
                    "grpo__entropy_target": 5.0, "grpo__mini_batches": 2, "grpo__update_epochs": 2}
        start = time.monotonic()
        self.train("whole", **settings)
        duration = time.monotonic() - start
        instants = random.Random(8)
        left, killed, run = int(os.environ.get("PLUMB_KILLS", "10")), 0, 0
        while left > 0:
            run += 1
            out = self.folder / f"cut-{run}"
            kills = min(left, 5)
            killed += self.kill_at_random(out, [instants.uniform(0, duration) for _ in range(kills)], **settings)
            left -= kills
            self.assert_same_run("whole", out)
            self.assert_same_checkpoint("whole", out, 3)
            shutil.rmtree(out)
        self.assertGreater(killed, 0, "every run had ended before its kill")

    def stop_twice(self, command, progress_name):
        """Kills the run "cut" once a checkpoint is there, resumes it, and interrupts it after another."""
        progress = self.folder / "cut" / progress_name / "checkpoints"
        for stop in (signal.SIGKILL, signal.SIGINT):
            resume = ["--resume"] if (self.folder / "cut").exists() else []
            process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, command), "cut", *resume], cwd=self.folder,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = set(progress.glob("step-*")) if progress.exists() else set()
            while process.poll() is None and not (progress.exists() and set(progress.glob("step-??????")) - before):
                time.sleep(0.002)
            process.send_signal(stop)
            process.wait(timeout=60)
            self.assertTrue(progress.exists(), "the run had ended before it was stopped")

    def resume_to_the_same_bytes(self, command, progress_name, files):
        result = self.plumb(*command, "cut", "--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in files:
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "cut" / name).read_bytes(), name)
        self.assertFalse((self.folder / "cut" / progress_name).exists())

    def test_sft_killed_and_interrupted_ends_with_the_same_bytes(self):
        settings = {"sft.learning_rate": 5e-3, "sft.max_epochs": 12, "sft.batch_size": 2, "sft.checkpoint_every": 1,
                    "sft.decay": "wsd"}
        command = ["sft", "--model", self.models / "random", "--data", self.models / "tasks.jsonl",
                   *overrides(settings), "--out"]
        self.assertEqual(self.plumb(*command, "whole").returncode, 0)
        self.stop_twice(command, "sft-progress")
        self.resume_to_the_same_bytes(command, "sft-progress", ("metrics.jsonl", "policy/model.safetensors"))

    def test_sft_that_cuts_texts_and_counts_tokens_goes_on_with_the_same_cuts(self):
        model = write_tiny_model_that_fills_in(self.folder / "fills-in")
        rows = [{"text": f"def f{number}(n):\n    m = n + {number}\n    return m * {number}\n"} for number in range(12)]
        (self.folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        settings = {"sft.learning_rate": 5e-3, "sft.max_epochs": 10, "sft.batch_tokens": 100, "sft.fim_rate": 0.7,
                    "sft.fim_spm_rate": 0.5, "sft.checkpoint_every": 1}
        command = ["sft", "--model", model, "--data", "texts.jsonl", *overrides(settings), "--out"]
        whole = self.plumb(*command, "whole")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.stop_twice(command, "sft-progress")
        self.resume_to_the_same_bytes(command, "sft-progress", ("metrics.jsonl", "policy/model.safetensors"))

    def test_a_reward_model_killed_and_interrupted_ends_with_the_same_bytes(self):
        self.train("run", grpo__steps=3)
        self.assertEqual(self.plumb("data", "rm-from-rollouts", "run", "--out", "pairs.jsonl").returncode, 0)
        rows = [json.loads(line) for line in (self.folder / "pairs.jsonl").read_text().splitlines()]
        rows = [dict(row, family=f"{number % 8}") for number, row in enumerate(rows)]  # to hold out
        (self.folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        settings = {"rm.good": "Y", "rm.bad": "N", "rm.learning_rate": 1e-3, "rm.max_epochs": 30, "rm.batch_size": 2,
                    "rm.dev_share": 0.5, "rm.checkpoint_every": 1}
        command = ["reward-model", "--model", self.models / "warm/policy", "--pairs", "pairs.jsonl", *overrides(settings),
                   "--out"]
        whole = self.plumb(*command, "whole")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.stop_twice(command, "rm-progress")
        self.assert_refused(self.plumb(*command, "cut"), 1, "already holds a run", "--resume")
        changed = self.plumb(*command, "cut", "--resume", "--set", "run.seed=9")
        self.assertEqual(changed.returncode, 1)
        self.assertIn("seed: was 1, is 9", changed.stderr)
        with (self.folder / "cut/metrics.jsonl").open("a") as metrics:  # as if it had been stopped after its last update
            metrics.write(json.dumps({"stage": "eval", "step": 1, "rm/ece": 0.5}) + "\n")
        self.resume_to_the_same_bytes(command, "rm-progress", ("metrics.jsonl", "policy/model.safetensors", "reward_model.json"))
        self.assertEqual([row["stage"] for row in self.metrics("cut")].count("eval"), 1)  # of what was held out

    def test_resume_names_what_has_changed(self):
        self.train("run", grpo__checkpoint_every=2)
        result = self.plumb(*self.command("run", "--resume", run__seed=9, grpo__clip_high=0.3, grpo__checkpoint_every=2))
        self.assertEqual(result.returncode, 1)
        for words in ("run.seed: was 1, is 9", "grpo.clip_high: was -1.0, is 0.3"):
            self.assertIn(words, result.stderr)
        self.assertNotIn("grpo.steps", result.stderr)

    def test_resume_takes_other_settings_that_no_bit_depends_on_and_says_so(self):
        self.train("whole", grpo__checkpoint_every=1, model__threads=2)
        shutil.copytree(self.folder / "whole", self.folder / "run")
        shutil.rmtree(self.folder / "run/policy")
        shutil.rmtree(self.folder / "run/checkpoints/step-000004")
        free = {"model__threads": 1, "judge__slots": 1, "grpo__keep_checkpoints": 1}
        refused = self.plumb(*self.command("run", "--resume", grpo__checkpoint_every=1, grpo__clip_high=0.3, **free))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("grpo.clip_high: was -1.0, is 0.3", refused.stderr)
        result = self.train("run", "--resume", grpo__checkpoint_every=1, **free)
        self.assertRegex(result.stderr, r"plumb: note: model\.threads: was 2, is 1; no bit depends on it")
        for key in ("judge.slots: was", "grpo.keep_checkpoints: was"):
            self.assertIn("plumb: note: " + key, result.stderr)
        self.assert_same_run("whole", "run")
        self.assertEqual([folder.name for folder in (self.folder / "run/checkpoints").iterdir()], ["step-000004"])

    def test_resume_refuses_other_data(self):
        rows = (self.models / "tasks.jsonl").read_text()
        (self.folder / "tasks.jsonl").write_text(rows)
        command = self.command("run", grpo__steps=2, grpo__checkpoint_every=1)
        command[command.index("--data") + 1] = "tasks.jsonl"
        self.assertEqual(self.plumb(*command).returncode, 0)
        (self.folder / "tasks.jsonl").write_text(rows + rows.splitlines()[0].replace("e2e/f", "e2e/other") + "\n")
        result = self.plumb(*command, "--resume")
        self.assertEqual(result.returncode, 1)
        self.assertIn("file_sha256.data0: was", result.stderr)

    def test_resume_refuses_another_tokenizer(self):
        shutil.copytree(self.models / "warm/policy", self.folder / "model")
        command = self.command("run", model=self.folder / "model", grpo__steps=2, grpo__checkpoint_every=1)
        self.assertEqual(self.plumb(*command).returncode, 0)
        tokenizer = self.folder / "model/tokenizer_config.json"
        tokenizer.write_text(tokenizer.read_text() + "\n")
        result = self.plumb(*command, "--resume")
        self.assertEqual(result.returncode, 1)
        self.assertIn("file_sha256.model: was", result.stderr)

    def test_damaged_checkpoints_are_named_and_the_last_good_one_used(self):
        self.train("whole", grpo__checkpoint_every=2)
        shutil.copytree(self.folder / "whole", self.folder / "run")
        command = self.command("run", "--resume", grpo__checkpoint_every=2)
        older, newest = sorted((self.folder / "run/checkpoints").iterdir())
        weights = newest / "model.safetensors"
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"model\.safetensors: is not what was written .*older checkpoint")
        self.assert_same_run("whole", "run")
        self.assertTrue((self.folder / "run/checkpoints/step-000004.damaged").exists())
        (newest / "optimizer.safetensors").unlink()
        (older / "trainer.json").write_text("{}")
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 1)
        for words in ("no checkpoint is whole", "optimizer.safetensors: is missing", "trainer.json"):
            self.assertIn(words, result.stderr.splitlines()[-1])

    def test_unwritable_folder(self):
        (self.folder / "file").write_text("")
        result = self.plumb(*self.command("file/run"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("file/run", result.stderr.splitlines()[-1])

    def test_a_disk_that_fills_up_leaves_earlier_checkpoints_whole(self):
        self.train("run", grpo__steps=2, grpo__checkpoint_every=2)
        checkpoint = self.folder / "run/checkpoints/step-000002"
        before = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
        shutil.rmtree(self.folder / "run/policy")
        # No file may grow beyond a fraction of the weights; the signal that comes with it must not end the run unsaid.
        limit = len(before["model.safetensors"]) // 4
        result = self.plumb(*self.command("run", "--resume", grpo__steps=2, grpo__checkpoint_every=2),
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr.splitlines()[-1], r"plumb: .*(safetensors|policy|checkpoints).*ulimit -f")
        self.assertEqual({path.name: path.read_bytes() for path in checkpoint.iterdir()}, before)

    def test_the_command_of_a_custom_reward_ignores_no_signal(self):
        command = self.folder / "command.sh"
        command.write_text("ignored=$(sed -n 's/^SigIgn:[^0-9a-f]*//p' /proc/self/status)\n"
                           f"test $((0x$ignored >> {signal.SIGXFSZ - 1} & 1)) = 0 || exit 3\n"
                           "exec sed -u 's/.*\"id\": *\"\\([^\"]*\\)\".*/{\"id\": \"\\1\", \"score\": 0.5}/'\n")
        self.train("run", reward__custom_command=f"sh,{command}", reward__custom_weight=0.04, grpo__steps=1)

    def test_a_disk_without_room_is_named_before_a_checkpoint(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "none", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest("needs a mount of its own: " + mounted.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        settings = {"grpo__steps": 30, "grpo__checkpoint_every": 5}
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command("disk/run", **settings))],
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        errors = ""
        for line in process.stderr:
            errors += line
            if (disk / "run/checkpoints/step-000005").exists():
                (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - (8 << 20)))
                break
        errors += process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 1, errors)
        self.assertRegex(errors.splitlines()[-1], r"disk/run: the checkpoint of step [0-9]+ needs .* GiB of disk and .* are free")
        (disk / "filler").unlink()
        self.train("disk/run", "--resume", **settings)
        self.train("whole", **settings)
        self.assert_same_run("whole", "disk/run")


if __name__ == "__main__":
    unittest.main()
