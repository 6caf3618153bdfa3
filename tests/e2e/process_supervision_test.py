"""Steps of completions, from judged rollouts to labels, to a model of them, to GRPO that rewards them one by one."""

import base64
import collections
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import unittest

from training_case import TASKS, TrainingCase, overrides


def lines_with_content(text):
    """The steps of a text, by another reading of the rule in core/steps.h."""
    steps, pending = [], ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        content = any(c.isascii() and c.isalnum() or not c.isascii() for c in line)
        fence = content and line.lstrip(" ").startswith("```") and len(line) - len(line.lstrip(" ")) <= 3
        if not content and steps and not pending:
            steps[-1] += line
        elif not content or fence:
            pending += line
        else:
            steps.append(pending + line)
            pending = ""
    return steps + [pending] if pending else steps


class ProcessSupervision(TrainingCase):
    def samples(self, run):
        return [json.loads(line) for line in (self.folder / run / "samples.jsonl").read_text().splitlines()]

    def rows(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def write_rows(self, name, rows):
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def make_steps(self):
        """Labelled steps of a run of two steps, with every completion of it, in steps.jsonl."""
        self.train("rollouts", grpo__steps=2)
        result = self.make_rows("--steps", "--per-prompt", 100, "--out", "steps.jsonl")
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.rows("steps.jsonl")

    def make_rows(self, *options):
        return self.plumb("data", "rm-from-rollouts", "rollouts", *options)

    def reward_model(self, rows, out, **settings):
        return self.plumb("reward-model", "--model", self.models / "warm/policy", "--pairs", rows, "--out", out,
                          *overrides({"rm.good": "Y", "rm.bad": "N", "rm.objective": "steps"} | settings))

    def train_model(self, out, rows="steps.jsonl", **settings):
        settings = {"rm.dev_share": 0, "rm.learning_rate": 2e-3, "rm.max_epochs": 20} | settings
        result = self.reward_model(rows, out, **settings)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads((self.folder / out / "reward_model.json").read_text())

    def test_labels_are_the_shares_of_what_begins_alike(self):
        rows = self.make_steps()
        texts = collections.defaultdict(list)
        for sample in self.samples("rollouts"):
            text = sample["text"]
            if not isinstance(text, str):  # cut within a character
                text = base64.b64decode(text["base64"]).decode(errors="surrogateescape")
            right = sample["parts"][0]["value"] == 1
            if not (right and sample["finish"] == "length"):
                texts[sample["prompt_id"]].append((text, right))
        shares = [label for row in rows for label in row["labels"]]
        self.assertTrue(any(0 < label < 1 for label in shares), "no step was shared by right and wrong ones")
        checked = 0
        for row in rows:
            text, of_prompt = "\n".join(row["completions"]), texts[row["prompt_id"]]
            if text not in [other for other, _ in of_prompt]:
                continue  # bytes that are no text are replaced in the row
            checked += 1
            steps = lines_with_content(text)
            self.assertEqual(len(row["completions"]), len(steps), text)
            for place in range(len(steps)):
                begin = "".join(steps[:place + 1])
                line_break = 1 if place + 1 < len(steps) else 0
                self.assertEqual(row["completions"][place], steps[place][:len(steps[place]) - line_break])
                alike = [right for other, right in of_prompt
                         if (other == text if place + 1 == len(steps) else
                             other.startswith(begin) and begin in map("".join, self.beginnings(other)))]
                self.assertEqual((row["labels"][place], row["samples"][place]), (sum(alike) / len(alike), len(alike)))
        self.assertGreater(checked, 10)
        few = self.make_rows("--steps", "--per-prompt", 2, "--out", "few.jsonl")
        self.assertEqual(few.returncode, 0, few.stderr)
        self.assertEqual(max(collections.Counter(row["prompt_id"] for row in self.rows("few.jsonl")).values()), 2)
        self.assert_refused(self.make_rows("--steps", "--pass-rates", "--out", "x"), 2, "--steps", "--pass-rates")

    @staticmethod
    def beginnings(text):
        steps = lines_with_content(text)
        return [steps[:count] for count in range(1, len(steps))]

    def test_a_model_of_steps_learns_and_says_how_well(self):
        rows = self.make_steps()
        prompts = sorted({row["prompt_id"] for row in rows})
        by_prompt = [[row for row in rows if row["prompt_id"] == prompt] for prompt in prompts]
        rows = next(mine for mine in by_prompt if len({row["labels"][-1] for row in mine}) > 1)
        rows = rows[:3] + rows[-3:]  # wrong ones first
        named = [dict(row, prompt_id=f"{number}/python", family=f"{number}") for number in range(8) for row in rows]
        self.write_rows("families.jsonl", named)
        more = {"rm.dev_share": 0.5, "rm.eval_pairs": '["families.jsonl"]'}
        report = self.train_model("rm", "families.jsonl", **more)
        held_out = report["held_out"]  # the completions that it learned, under other names
        self.assertEqual(report["objective"], "steps")
        self.assertEqual(held_out["completions"] % 6, 0)
        labels = [label for row in rows for label in row["labels"]]
        families = held_out["completions"] // 6
        self.assertEqual(held_out["steps"]["pairs"], families * sum(label != 0.5 for label in labels))
        self.assertEqual(sum(bin["count"] for bin in held_out["reliability"]), families * len(labels))
        self.assertEqual(held_out["steps"]["accuracy"], 1)
        self.assertLess(held_out["mse"], held_out["mse_of_mean"] / 4)
        right = [row["labels"][-1] > 0.5 for row in rows]
        self.assertEqual(held_out["auc"], 1)
        self.assertEqual(held_out["all"]["pairs"], families * sum(right) * (6 - sum(right)))
        self.assertEqual(report["eval_pairs"]["families.jsonl"], held_out)
        self.check_words_of_small_evaluations()
        logged = self.metrics("rm")
        self.assertEqual((logged[-1]["stage"], logged[-1]["rm/step_accuracy"], logged[-1]["rm/auc"]), ("eval", 1, 1))
        self.assertLess(logged[-2]["rm/mse"], logged[0]["rm/mse"] / 4)

    def check_words_of_small_evaluations(self):
        """Nothing held out, and one family alone: no figure that is no number."""
        result = self.reward_model("steps.jsonl", "all", **{"rm.dev_share": 0, "rm.max_epochs": 1})
        self.assertIn("nothing held out (rm.dev_share)", result.stdout)
        self.assertNotIn("nan", result.stdout)
        self.assertEqual(json.loads((self.folder / "all/reward_model.json").read_text())["held_out"], {})
        self.assertIn("Nothing was held out", (self.folder / "all/report.html").read_text())
        rows = self.rows("families.jsonl")
        for number in range(1, 8):  # of some such two families one is held out
            self.write_rows("two.jsonl", [row for row in rows if row["prompt_id"] in ("0/python", f"{number}/python")])
            result = self.reward_model("two.jsonl", f"two{number}", **{"rm.dev_share": 0.5, "rm.max_epochs": 1})
            self.assertNotIn("nan", result.stdout)
            if "(too few families for an interval) of" in result.stdout:
                return
        self.fail("no evaluation of one family")

    def test_samples_are_ranked_by_their_least_step(self):
        rows = self.make_steps()
        for row in rows:
            row["labels"] = [0] * (len(row["labels"]) - 1) + [1]  # so that no last step is a completion's least
        self.write_rows("least.jsonl", rows)
        self.train_model("rm", "least.jsonl")
        settings = {"eval.samples": 8, "sampling.max_new_tokens": 64, "reward.reward_model": "rm"}
        result = self.plumb("eval", "--model", self.models / "warm/policy", "--data", self.models / "tasks.jsonl", "--out",
                            "ranked", *overrides(settings))
        self.assertEqual(result.returncode, 0, result.stderr)
        texts = collections.defaultdict(list)
        for sample in self.samples("ranked"):
            if sample["temperature"] > 0:
                texts[sample["prompt_id"]].append(sample["text"])
        evaluation = json.loads((self.folder / "ranked/evals/eval-data-T1.json").read_text())
        told_apart = 0
        for prompt in evaluation["prompts"]:
            steps = [len(lines_with_content(text)) if isinstance(text, str) else 0 for text in texts[prompt["id"]]]
            if 1 in steps and max(steps) > 1:
                self.assertEqual(steps[prompt["reranked"]], 1, texts[prompt["id"]])
                told_apart += 1
        self.assertGreater(told_apart, 1)

    def test_rows_of_trl_are_read_and_others_refused(self):
        # The first rows of trl-lib's data sets look like this: no ids, steps without line breaks, true and false.
        good = [{"prompt": f"What is {n} + 1?", "completions": [f"It is one more than {n}.", f"So {n + wrong + 1}."],
                 "labels": [True, not wrong]} for n in range(8) for wrong in (0, 1)]
        self.write_rows("trl.jsonl", good)
        report = self.train_model("trl", "trl.jsonl", **{"rm.dev_share": 0.4, "rm.max_epochs": 1})
        self.assertEqual(report["held_out"]["completions"] % 2, 0)  # a prompt is held out as a whole
        self.assertGreater(report["held_out"]["completions"], 0)
        # A slash in somebody else's ids makes no family of all rows; a blank line is no row.
        self.write_rows("ids.jsonl", [row | {"id": f"train/{number}"} for number, row in enumerate(good)])
        (self.folder / "ids.jsonl").write_text((self.folder / "ids.jsonl").read_text() + "\n")
        again = self.train_model("ids", "ids.jsonl", **{"rm.dev_share": 0.4, "rm.max_epochs": 1})
        self.assertEqual(again["held_out"], report["held_out"])
        for change, words in (({"labels": [True]}, ("bad.jsonl:2", '"labels"', "2 steps")),
                              ({"labels": [True, 1.5]}, ("bad.jsonl:2", "1.5")),
                              ({"labels": [True, "+"]}, ("bad.jsonl:2", '"+"')),
                              ({"completions": "So 2."}, ("bad.jsonl:2", '"completions"')),
                              ({"completions": [], "labels": []}, ("bad.jsonl:2", "0 steps")),
                              ({"completions": ["a", 2]}, ("bad.jsonl:2", '"completions"', "found 2")),
                              ({"completions": ["a " * 1100], "labels": [True]}, ("bad.jsonl:2", "context", "1024")),
                              ({"prompt": 3}, ("bad.jsonl:2", '"prompt"'))):
            with self.subTest(change):
                self.write_rows("bad.jsonl", [good[0], good[1] | change])
                self.assert_refused(self.reward_model("bad.jsonl", "refused"), 1, *words)
                self.assertFalse((self.folder / "refused").exists())
        self.write_rows("pairs.jsonl", [{"prompt_id": "a", "prompt": "b", "chosen": "c", "rejected": "d"}])
        refused = self.reward_model("pairs.jsonl", "refused")
        self.assert_refused(refused, 1, "pairs.jsonl:1", "rm.objective", "--steps")

    def test_a_completion_that_fills_the_context_is_read(self):
        self.make_steps()
        self.train_model("rm")
        context = 64
        for _ in range(8):  # until the longest prompt fits with nothing to spare
            for model in (self.models / "warm/policy", self.folder / "rm/policy"):
                name = "narrow" if model.parent.name == "warm" else "narrow-rm/policy"
                shutil.rmtree(self.folder / name, ignore_errors=True)
                shutil.copytree(model, self.folder / name)
                shape = json.loads((model / "config.json").read_text())
                (self.folder / name / "config.json").write_text(json.dumps(shape | {"max_position_embeddings": context}))
            shutil.copy(self.folder / "rm/reward_model.json", self.folder / "narrow-rm/reward_model.json")
            settings = {"grpo__steps": 2, "sampling__max_new_tokens": 16, "reward__process": "rm",
                        "reward__code_signal": "rm", "reward__reward_model": "narrow-rm"}
            shutil.rmtree(self.folder / "run", ignore_errors=True)
            result = self.plumb(*self.command("run", model=self.folder / "narrow", **settings))
            too_long = re.search(r"has (\d+) tokens; with sampling.max_new_tokens", result.stderr)
            if not too_long:
                break
            context = int(too_long[1]) + 16
        self.assertEqual(result.returncode, 0, result.stderr)
        full = [sample for sample in self.samples("run") if sample["finish"] == "length"]
        self.assertTrue(full and all(sample["steps"][-1]["end"] == 16 for sample in full))
        shape = json.loads((self.folder / "narrow-rm/policy/config.json").read_text())
        (self.folder / "narrow-rm/policy/config.json").write_text(json.dumps(shape | {"max_position_embeddings": context - 1}))
        refused = self.plumb(*self.command("refused", model=self.folder / "narrow", **settings))
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"reward.reward_model: its context of {context - 1} tokens is shorter", refused.stderr)

    def assert_advantages_follow_the_steps(self, samples, weight):
        """Group by group, from the scores that stand beside them: sums over steps by DeepSeekMath's formula."""
        groups = collections.defaultdict(list)
        for sample in samples:
            groups[sample["step"], sample["prompt_id"], sample["draw"]].append(sample)
        differing = 0
        for group in groups.values():
            scores = [step["score"] for sample in group for step in sample["steps"]]
            self.assertTrue(all(0 < score < 1 for score in scores))
            rewards = [sample["reward"] for sample in group]

            def worth(value, all_values):
                spread = max(all_values) - min(all_values) > 0.05
                return (value - statistics.mean(all_values)) / (statistics.stdev(all_values) + 1e-4) if spread else 0

            for sample in group:
                if sample["advantage"] is None:
                    continue
                self.assertEqual(len(sample["token_advantages"]), sample["tokens"])
                self.assertEqual(sample["steps"][-1]["end"], sample["tokens"])
                for token, advantage in enumerate(sample["token_advantages"]):
                    expected = weight * worth(sample["reward"], rewards) + sum(
                        worth(step["score"], scores) for step in sample["steps"] if step["end"] > token)
                    self.assertAlmostEqual(advantage, expected, delta=2e-4)
                self.assertAlmostEqual(sample["advantage"], statistics.mean(sample["token_advantages"]), delta=1e-4)
                differing += len(set(sample["token_advantages"])) > 1
        self.assertGreater(differing, 0, "no completion had tokens of different worth")

    def test_grpo_rewards_steps_and_ends_with_the_same_bytes_after_a_kill(self):
        labels = {(row["prompt_id"], "\n".join(row["completions"])): row["labels"] for row in self.make_steps()}
        self.train_model("rm")
        steps = {"reward__process": "rm", "reward__reward_model": "rm", "grpo__checkpoint_every": 2, "grpo__steps": 5}
        self.train("whole", model__threads=1, **steps)
        rows = self.metrics("whole")
        for row in rows:
            self.assertTrue(0 < row["reward/process/mean"] < 1)
            self.assertGreater(row["process/steps"], 1)
            self.assertEqual(row["reward/gold"], row["reward/tests/mean"])
            self.assertEqual(row["ratio/max_abs_dev"], 0)
        self.assertTrue(any(row["grad_norm"] > 0 for row in rows), "nothing was learned from")
        samples = self.samples("whole")
        self.assert_advantages_follow_the_steps(samples, weight=1)
        # The first step's samples are those that the model learned from, so it gives their steps about their labels.
        misses = []
        for sample in samples:
            known = labels.get((sample["prompt_id"], sample["text"])) if isinstance(sample["text"], str) else None
            if sample["step"] == 1 and known:
                self.assertEqual(len(sample["steps"]), len(known))
                misses += [abs(step["score"] - label) for step, label in zip(sample["steps"], known)]
        self.assertGreater(len(misses), 20)
        self.assertLess(statistics.mean(misses), 0.05)

        first = [step["score"] for sample in samples if sample["step"] == 1 for step in sample["steps"]]
        self.assertTrue(math.isclose(statistics.mean(first), rows[0]["reward/process/mean"], rel_tol=1e-12))

        command = map(str, self.command("cut", model__threads=4, **steps))
        process = subprocess.Popen([os.environ["PLUMB_BINARY"], *command], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "step   4/5" in line:
                process.kill()
                break
        process.communicate(timeout=60)
        self.train("cut", "--resume", model__threads=4, **steps)
        self.assert_same_run("whole", "cut")
        for step in (1, 4):
            replayed = self.plumb("replay", "--run", "whole", "--step", step)
            self.assertEqual(replayed.returncode, 0, replayed.stdout + replayed.stderr)
            self.assertIn("0 of", replayed.stdout)
        report = (self.folder / "whole/report.html").read_text()
        self.assertIn("The advantage of the token, up to", report)

        # One forward of the model says what its steps are worth and what the whole is.
        self.train("both", reward__code_signal="rm", **(steps | {"grpo__steps": 1}))
        self.train("raw", grpo__zero_spread="keep", grpo__steps=1)
        whole, both, raw = (json.loads((self.folder / run / "timings.jsonl").read_text().splitlines()[0])["perf/tflop"]
                            for run in ("whole", "both", "raw"))
        self.assertEqual(both, whole)
        # It takes the verdicts' weight, and no other.
        self.train("shaped", reward__code_signal="rm", reward__format_weight=0.2, reward__reward_model="rm", grpo__steps=1)
        for sample in self.samples("shaped"):
            self.assertEqual({part["name"]: part["weight"] for part in sample["parts"]},
                             {"tests": 0, "format": 0.2, "rm": 0.8})
            self.assertAlmostEqual(sample["reward"], sum(part["weight"] * part["value"] for part in sample["parts"]))
        self.assertTrue(1.05 < both / raw < 1.25, both / raw)
        self.assertTrue(all(part["value"] == sample["steps"][-1]["score"] for sample in self.samples("both")
                            for part in sample["parts"] if part["name"] == "rm"))
        self.train("alone", reward__outcome_weight=0, grpo__advantage="group_std", **(steps | {"grpo__steps": 1}))
        self.assert_advantages_follow_the_steps(self.samples("alone"), weight=0)
        self.assertNotEqual(self.metrics("alone")[0]["policy_loss"], rows[0]["policy_loss"])
        changed = self.plumb(*self.command("whole", "--resume", **(steps | {"reward__outcome_weight": 0})))
        self.assertEqual(changed.returncode, 1)
        self.assertIn("reward.outcome_weight: was 1.0, is 0.0", changed.stderr)

    def test_maths_has_steps_too_and_groups_without_any_spread_are_replaced(self):
        self.make_steps()
        self.train_model("rm")
        rows = [dict(row, split="rl") for row in TASKS] + [
            {"id": f"sum/{n}", "question": f"What is {n} + 1?", "answer": str(n + 1), "split": "rl"} for n in range(2)]
        self.write_rows("tasks.jsonl", rows)
        settings = {"grpo__steps": 3, "grpo__min_code_prompts": 0, "grpo__zero_spread": "refill",
                    "grpo__saved_groups": 99, "grpo__denominator": "contributing", "grpo__schedule": "one_step_off", "reward__process": "rm",
                    "reward__reward_model": "rm"}
        for run in ("one", "other"):
            command = self.command(run, **settings)
            command[command.index(self.models / "tasks.jsonl")] = self.folder / "tasks.jsonl"
            result = self.plumb(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_same_run("one", "other")
        maths = [sample for sample in self.samples("one") if sample["language"] == "none"]
        self.assertGreater(len(maths), 0)
        self.assertTrue(all(sample["steps"] for sample in maths))
        self.assert_advantages_follow_the_steps(self.samples("one"), weight=1)

    def test_what_steps_do_not_compose_with_is_refused(self):
        self.make_steps()
        self.train_model("rm", **{"rm.max_epochs": 1})
        self.assert_refused(self.plumb(*self.command("none", reward__process="rm")), 1, "reward.reward_model")
        self.write_rows("pairs.jsonl", [{"prompt_id": "a/python", "prompt": "b", "chosen": "c", "rejected": "d"}])
        pairs = self.reward_model("pairs.jsonl", "pairs", **{"rm.objective": "pairs", "rm.dev_share": 0})
        self.assertEqual(pairs.returncode, 0, pairs.stderr)
        on = {"reward__process": "rm", "reward__reward_model": "rm"}
        refused = self.plumb(*self.command("none", **(on | {"reward__reward_model": "pairs"})))
        self.assert_refused(refused, 1, "reward.process", '"pairs"', "rm.objective")
        for settings, words in ((on | {"grpo__advantage": "leave_one_out"}, ("grpo.advantage", "reward.process")),
                                (on | {"grpo__ratio": "sequence"}, ("grpo.ratio", "reward.process")),
                                (on | {"grpo__reward_arm": "permuted"}, ("grpo.reward_arm", "reward.process")),
                                (on | {"reward__outcome_weight": 0, "grpo__overlong_zone": 8},
                                 ("reward.outcome_weight",))):
            with self.subTest(settings):
                result = self.plumb(*self.command("refused", **settings))
                self.assertEqual(result.returncode, 1)
                for word in words:
                    self.assertIn(word, result.stderr.splitlines()[-1])
                shutil.rmtree(self.folder / "refused", ignore_errors=True)
        for arm in ("verdict", "negated"):
            self.train(arm, grpo__steps=1, grpo__reward_arm=arm, **on)
        for one, other in zip(self.samples("verdict"), self.samples("negated")):
            self.assertEqual(one["text"], other["text"])
            if one["advantage"] is not None:
                self.assertEqual(one["token_advantages"], [-advantage for advantage in other["token_advantages"]])


if __name__ == "__main__":
    unittest.main()
