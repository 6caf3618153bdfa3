"""Whole trainings of a tiny model: same bits twice and over a resume, nothing lost, the faults said in one sentence."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from plumb_case import PlumbCase
from tiny_model import read_tensors, write_tiny_model


def task(name, body, result, parameter="n"):
    cpp = f"int {name}(int {parameter}) {{\n  return {body};\n}}\n"
    python = f"def {name}({parameter}: int) -> int:\n    return {body}\n"
    return {"id": f"e2e/{name}", "description": f"returns {body}.", "split": "sft",
            "function": {"name": name, "parameters": [{"name": parameter, "type": "int"}], "returns": "int"},
            "references": {"python": python, "cpp": cpp},
            "tests": [{"args": [n], "result": result(n)} for n in (3, -2, 0, 11)]}


TASKS = [task("f", "n + 1", lambda n: n + 1), task("g", "n - 1", lambda n: n - 1)]
SMALL_RUN = {"grpo.prompts_per_step": 4, "grpo.group_size": 4, "grpo.min_code_prompts": 4, "grpo.steps": 4,
             "grpo.learning_rate": 1e-3, "grpo.warmup_steps": 1, "sampling.max_new_tokens": 64, "grpo.saved_groups": 4,
             "reward_audit.prompts": 0}


def overrides(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


class Training(PlumbCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="plumb_e2e_model_")
        cls.addClassCleanup(scratch.cleanup)
        cls.models = pathlib.Path(scratch.name)
        (cls.models / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TASKS))
        write_tiny_model(cls.models / "random")
        # Far enough that some completions are right and some are not.
        subprocess.run([os.environ["PLUMB_BINARY"], "sft", "--model", cls.models / "random", "--data",
                        cls.models / "tasks.jsonl", "--out", cls.models / "warm",
                        *overrides({"sft.learning_rate": 5e-3, "sft.max_epochs": 25, "sft.batch_size": 4,
                                    "model.dtype": "f32"})],
                       check=True, capture_output=True, timeout=120)

    def command(self, out, *more, model="warm/policy", **settings):
        settings = SMALL_RUN | {key.replace("__", "."): value for key, value in settings.items()}
        return ["grpo", "--model", self.models / model, "--data", self.models / "tasks.jsonl", "--out", out,
                *overrides(settings), *more]

    def train(self, out, *more, **settings):
        result = self.plumb(*self.command(out, *more, **settings))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def metrics(self, run):
        return [json.loads(line) for line in (self.folder / run / "metrics.jsonl").read_text().splitlines()]

    def assert_same_run(self, one, other):
        for name in ("metrics.jsonl", "policy/model.safetensors", "samples.jsonl"):
            self.assertEqual((self.folder / one / name).read_bytes(), (self.folder / other / name).read_bytes(), name)

    def test_same_seed_same_bits_whatever_the_threads(self):
        for dtype in ("f32", "bf16"):
            with self.subTest(dtype):
                self.train(f"{dtype}-a", model__dtype=dtype, model__threads=1)
                self.train(f"{dtype}-b", model__dtype=dtype, model__threads=4, sampling__max_batch=5)
                self.assert_same_run(f"{dtype}-a", f"{dtype}-b")
                rows = self.metrics(f"{dtype}-a")
                self.assertEqual([row["step"] for row in rows], [1, 2, 3, 4])
                self.assertTrue(any(row["frac_reward_zero_std"] < 1 for row in rows), "nothing was learned from")
                self.assertTrue(all(row["ratio/max_abs_dev"] == 0 for row in rows))
                report = (self.folder / f"{dtype}-a" / "report.html").read_text()
                self.assertNotIn("<script", report)
        self.train("other-seed", run__seed=2)
        self.assertNotEqual((self.folder / "f32-a/metrics.jsonl").read_bytes(),
                            (self.folder / "other-seed/metrics.jsonl").read_bytes())

    def test_interrupt_saves_and_resume_goes_on_to_the_same_bits(self):
        self.train("whole", grpo__steps=6)
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command("cut", grpo__steps=6))],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "step   2/6" in line:
                process.send_signal(signal.SIGINT)
                break
        output, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
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

    def test_resume_names_what_has_changed(self):
        self.train("run", grpo__checkpoint_every=2)
        result = self.plumb(*self.command("run", "--resume", run__seed=9, grpo__checkpoint_every=2))
        self.assertEqual(result.returncode, 1)
        self.assertIn("seed", result.stderr)

    def test_damaged_checkpoint_is_one_sentence(self):
        self.train("run", grpo__checkpoint_every=2)
        newest = sorted((self.folder / "run/checkpoints").iterdir())[-1]
        command = self.command("run", "--resume", grpo__checkpoint_every=2)
        weights = newest / "model.safetensors"
        whole = weights.read_bytes()
        weights.write_bytes(whole[:len(whole) // 2])
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 1)
        self.assertIn("model.safetensors", result.stderr.splitlines()[-1])
        weights.write_bytes(whole)
        (newest / "trainer.json").write_text("{}")
        result = self.plumb(*command)
        self.assertEqual(result.returncode, 1)
        self.assertIn("trainer.json", result.stderr.splitlines()[-1])

    def test_no_spread_no_update(self):
        result = self.train("run", model="random", grpo__steps=2)
        self.assertIn("2 without an update", result.stdout)
        self.assertTrue(all(row["frac_reward_zero_std"] == 1 for row in self.metrics("run")))
        self.assertEqual(read_tensors(self.folder / "run/policy/model.safetensors"),
                         read_tensors(self.models / "random/model.safetensors"))

    def test_preflight_finds_nothing_wrong(self):
        result = self.plumb(*self.command("run", "--preflight"))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotIn("FAILED", result.stdout)
        self.assertIn("0 of ", result.stdout)

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
        # No file may grow beyond a fraction of the weights; the kernel says so as it does for a full disk.
        limit = len(before["model.safetensors"]) // 4
        result = self.plumb(*self.command("run", "--resume", grpo__steps=2, grpo__checkpoint_every=2),
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
                            restore_signals=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr.splitlines()[-1], r"plumb: .*(safetensors|policy|checkpoints)")
        self.assertEqual({path.name: path.read_bytes() for path in checkpoint.iterdir()}, before)

    def test_eval_and_report(self):
        result = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl",
                            "--out", "run", *overrides({"eval.samples": 2, "sampling.max_new_tokens": 64}))
        self.assertEqual(result.returncode, 0, result.stderr)
        names = {key for row in self.metrics("run") for key in row}
        self.assertTrue({"eval/data/greedy", "eval/data/avg@2", "eval/data/pass@2"} <= names, names)
        self.assertEqual(self.plumb("report", "run").returncode, 0)
        self.assertTrue((self.folder / "run/report.html").exists())
        shutil.rmtree(self.folder / "run")


if __name__ == "__main__":
    unittest.main()
