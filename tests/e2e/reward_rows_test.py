"""Rows for reward models: what `plumb data rm-from-rollouts` makes of samples, and which of them `plumb reward-model`
holds out."""

import json
import re
import unittest

from plumb_case import PlumbCase
from tiny_model import write_tiny_model
from training_case import TASKS, overrides

KINDS = {"pairs": [], "regression": ["--pass-rates"], "steps": ["--steps"]}


def sample(text, right, **more):
    """A line of samples.jsonl of a code task."""
    return {"stage": "grpo", "kind": "train", "step": 1, "set": "", "temperature": 1, "prompt_id": "e2e/f/python",
            "language": "python", "prompt": "Write f.", "draw": 0, "sample": 0, "text": text, "tokens": len(text),
            "finish": "eos", "reward": 1.0 if right else 0.0, "unscored": "", "audit": -1,
            "parts": [{"name": "tests", "value": 1 if right else 0, "weight": 1, "reason": ""},
                      {"name": "fraction", "value": 0, "weight": 0, "reason": ""}],
            "verdict": "AC" if right else "WA", "passed": 4 if right else 1, "tests": 4, "diagnostics": [],
            "output": ""} | more


class RewardRows(PlumbCase):
    def write_rows(self, name, rows):
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def rows(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def make(self, *options, runs=("run",)):
        result = self.plumb("data", "rm-from-rollouts", *runs, "--out", "made.jsonl", *options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.rows("made.jsonl")

    def held_out(self, rows, objective="pairs", eval_rows=None):
        """The figures of what is held out of half of the families, and of eval_rows, and how many rows were."""
        if not (self.folder / "model").exists():
            write_tiny_model(self.folder / "model")
        self.count = getattr(self, "count", 0) + 1
        self.write_rows("rows.jsonl", rows)
        self.write_rows("eval.jsonl", eval_rows or [])
        settings = {"rm.good": "Y", "rm.bad": "N", "rm.objective": objective, "rm.dev_share": 0.5,
                    "rm.eval_pairs": '["eval.jsonl"]' if eval_rows else "[]"}
        out = f"rm-{self.count}"
        result = self.plumb("reward-model", "--model", self.folder / "model", "--pairs", "rows.jsonl", "--out", out,
                            *overrides(settings))
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads((self.folder / out / "reward_model.json").read_text())
        count = int(re.search(r"(\d+) of other families held out", result.stderr)[1])
        return report["held_out"], report.get("eval_pairs", {}).get("eval.jsonl"), count

    def test_the_family_of_a_task_is_in_every_row(self):
        maths = {"id": "adds/7", "template": "adds", "question": "What is 1 + 1?", "answer": "2"}
        self.write_rows("tasks.jsonl", [dict(TASKS[0], family="one more"), TASKS[1], maths])
        write_tiny_model(self.folder / "model")
        result = self.plumb("data", "profile", "--model", self.folder / "model", "--data", "tasks.jsonl", "-k", 2,
                            "--out", "run", *overrides({"sampling.max_new_tokens": 8}))
        self.assertEqual(result.returncode, 0, result.stderr)
        families = {"e2e/f/cpp": "one more", "e2e/f/python": "one more", "e2e/g/cpp": "e2e/g", "e2e/g/python": "e2e/g",
                    "adds/7": "adds"}
        samples = self.rows("run/samples.jsonl")
        self.assertEqual({one["prompt_id"]: one["family"] for one in samples}, families)
        judged = [one | sample(text, right) | {key: one[key] for key in ("prompt_id", "family", "language", "prompt")}
                  for one in samples[::2] for text, right in (("one\ntwo", True), ("one\nthree", False))]
        self.write_rows("run/samples.jsonl", judged)
        for name, options in KINDS.items():
            with self.subTest(name):
                self.assertEqual({row["prompt_id"]: row["family"] for row in self.make(*options)}, families)

    def test_one_id_for_two_prompts_makes_no_pair_of_them(self):
        self.write_rows("run/samples.jsonl", [sample("yes", True, prompt="Say yes.")])
        other = [sample("no", False, prompt="Say no."), sample("No", True, prompt="Say no.")]
        self.write_rows("other/samples.jsonl", other)
        self.assertEqual([(row["prompt"], row["chosen"], row["rejected"]) for row in self.make(runs=("run", "other"))],
                         [("Say no.", "No", "no")])

    def test_what_is_right_but_cut_off_is_on_no_side(self):
        cut = sample("one\ntwo", True, finish="length")
        others = [sample("one\nfour", True), sample("one\nthree", False), sample("one\nfive", False, finish="length")]
        self.write_rows("run/samples.jsonl", [cut] + others)
        self.assertEqual({(row["chosen"], row["rejected"]) for row in self.make()},
                         {("one\nfour", "one\nthree"), ("one\nfour", "one\nfive")})
        rates = {row["completion"]: row["pass_rate"] for row in self.make("--pass-rates")}
        self.assertEqual(rates,  # as GRPO rewards them
                         {"one\ntwo": 1, "one\nfour": 1, "one\nthree": 0.25, "one\nfive": 0.25})
        labels = {"\n".join(row["completions"]): (row["labels"], row["samples"]) for row in self.make("--steps")}
        self.assertEqual(labels, {"one\nfour": ([1 / 3, 1], [3, 1]), "one\nthree": ([1 / 3, 0], [3, 1]),
                                  "one\nfive": ([1 / 3, 0], [3, 1])})
        # A cut-off text that cheats is wrong like any other.
        self.write_rows("run/samples.jsonl", [others[0], cut | {"audit": 0}])
        self.assertEqual([row["rejected"] for row in self.make()], ["one\ntwo"])

    def test_siblings_share_a_side(self):
        both = [sample("one\ntwo", True), sample("one\nthree", False)]
        self.write_rows("run/samples.jsonl", both)
        for objective, options in KINDS.items():
            with self.subTest(objective):
                made = self.make(*options)
                siblings = [dict(row, prompt_id=f"{member}/{family}/python", family=f"kind {family}")
                            for family in range(12) for member in "ab" for row in made]
                figures, of_eval, count = self.held_out(siblings, objective, siblings)
                self.assertEqual(count % (2 * len(made)), 0)
                self.assertTrue(0 < count < len(siblings))
                self.assertEqual(of_eval, figures)
                # Names of prompts change nothing; rows without a family have that of their prompt's other rows.
                unnamed = [{key: value for key, value in row.items() if key != "family"} for row in siblings]
                renamed = [dict(row, prompt_id=f"{number // len(made)}/cpp") for number, row in enumerate(siblings)]
                self.assertEqual(self.held_out(renamed, objective)[::2], (figures, count))
                self.assertEqual(self.held_out(siblings, objective, unnamed)[1], figures)

    def test_code_without_a_program_is_no_hard_pair(self):
        both = [sample("one\ntwo", True), sample("one\nsix", False, verdict="")]
        self.write_rows("run/samples.jsonl", both)
        for objective, options in KINDS.items():
            made = self.make(*options)
            for language, verdict, hard in (("python", "", False), ("python", "CE", False), ("python", "WA", True),
                                            ("none", "", True)):
                with self.subTest(objective, language=language, verdict=verdict):
                    judged = [{key: verdict if "verdict" in key and not value else value for key, value in row.items()}
                              | {"language": language} for row in made]
                    rows = [row | {"family": str(family), "prompt_id": f"{family}/python"}
                            for family in range(4) for row in judged]
                    figures = self.held_out(rows, objective)[0]
                    self.assertEqual(figures["hard"]["pairs"] if "hard" in figures else 0,
                                     figures["all"]["pairs"] if hard else 0)
                    self.assertEqual(figures["baseline: compiles"]["accuracy"], 0.5 if hard else 1)

    def test_both_sides_of_a_hard_pair_ended_and_compile(self):
        self.write_rows("run/samples.jsonl", [sample("one\ntwo", True), sample("one\nsix", False)])
        made = self.make()
        self.assertEqual([row["margin"] for row in made], [0.75])  # of verdicts: a quarter of its tests pass
        for change, hard in (({}, True), ({"chosen_finish": "length"}, False), ({"chosen_verdict": "CE"}, False)):
            with self.subTest(change):
                rows = [row | change | {"family": str(family), "prompt_id": f"{family}/python"}
                        for family in range(4) for row in made]
                figures = self.held_out(rows)[0]
                self.assertEqual("hard" in figures and figures["hard"]["pairs"] > 0, hard)

    def test_what_rows_without_a_family_are_held_out_by(self):
        pair = {"prompt": "Write f.", "chosen": "one", "rejected": "two"}
        numbered = [pair | {"prompt_id": f"train/{number}"} for number in range(12)]
        languages = [pair | {"prompt_id": f"f{number}/{to}"} for number in range(12) for to in ("cpp", "python")]
        functions = [pair | {"prompt_id": f"f{number}"} for number in range(12) for _ in "ab"]
        members = [pair | {"prompt_id": f"f{number}/{member}"} for number in range(12) for member in "ab"]
        # A slash in somebody else's ids makes no family of all rows.
        self.assertTrue(0 < self.held_out(numbered)[2] < len(numbered))
        count = self.held_out(functions)[2]
        self.assertTrue(0 < count < len(functions))
        self.assertEqual(self.held_out(languages)[2], count)
        self.assertEqual(self.held_out(members)[2], count)
        # One function in two languages is one family, whatever else is in the file.
        self.assertEqual(self.held_out(languages + numbered)[2], self.held_out(numbered)[2] + count)


if __name__ == "__main__":
    unittest.main()
