"""What tests of whole trainings share: tasks, a warmed-up tiny model, and runs of it."""

import json
import os
import pathlib
import subprocess
import tempfile

from plumb_case import PlumbCase
from tiny_model import write_tiny_model


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

# The rows that are trained on, as dev: what is tried is not how well it generalises.
OWN_DEV = {"grpo__dev_split": "sft", "data__train_splits": "sft"}


def overrides(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def children_of(parent, name):
    """The ids of a process's children that run this program."""
    children = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            before, fields = (folder / "stat").read_text().rsplit(")", 1)
        except OSError:
            continue  # it has ended
        if before.split("(", 1)[1] == name and int(fields.split()[1]) == parent:
            children.append(int(folder.name))
    return children


class TrainingCase(PlumbCase):
    """A model that some of its samples are right of, and whole runs of it."""

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

    def kill_at_random(self, out, seconds, **settings):
        """Starts the run, or goes on with it, and kills it so many seconds later, for each of them; then lets it end. How
        often it had not ended yet."""
        killed = 0
        for wait in seconds:
            process = subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command(out, *self.resume(out), **settings))],
                                       cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=wait)
            except subprocess.TimeoutExpired:
                killed += 1
            process.kill()
            process.wait(timeout=60)
        self.train(out, *self.resume(out), **settings)
        return killed

    def resume(self, out):
        return ["--resume"] if (self.folder / out / "manifest.json").exists() else []

    def assert_same_checkpoint(self, one, other, step):
        folder = self.folder / one / f"checkpoints/step-{step:06}"
        for file in folder.iterdir():
            again = self.folder / other / folder.relative_to(self.folder / one) / file.name
            self.assertEqual(file.read_bytes(), again.read_bytes(), file.name)

    def assert_same_run(self, one, other):
        for name in ("metrics.jsonl", "policy/model.safetensors", "samples.jsonl"):
            self.assertEqual((self.folder / one / name).read_bytes(), (self.folder / other / name).read_bytes(), name)
