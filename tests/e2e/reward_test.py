"""audit-reward finds a reward that can be had for nothing; the reward server scores for trainers through its client."""

import http.client
import json
import sys
import unittest

from plumb_case import REPOSITORY, PlumbCase

sys.path.insert(0, str(REPOSITORY / "clients" / "python"))

import plumb_reward  # noqa: E402
from plumb_reward.client import RewardClient  # noqa: E402
from plumb_reward import rewards  # noqa: E402

FUNCTION = {"name": "twice", "parameters": [{"name": "n", "type": "int"}], "returns": "int"}
TESTS = [{"args": [n], "result": 2 * n} for n in (3, -2, 0, 11)]


def task(tests):
    return {"id": "twice", "description": "returns twice the number.", "function": FUNCTION, "languages": ["python"],
            "references": {"python": "def twice(n: int) -> int:\n    return n * 2\n"}, "tests": tests}


def fenced(source):
    return f"```python\n{source}\n```"


RIGHT = fenced("def twice(n):\n    return n + n")
WRONG = fenced("def twice(n):\n    return n * n")


class AuditReward(PlumbCase):
    def audit(self, tests, *more):
        (self.folder / "tasks.jsonl").write_text(json.dumps(task(tests)) + "\n")
        return self.plumb("audit-reward", "--set", "data.tasks=tasks.jsonl", "--set", "data.train_splits=[]", *more)

    def test_a_sound_task_passes(self):
        result = self.audit(TESTS, "--mutants", "2")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"false accepts +0\n")
        self.assertRegex(result.stdout, r"mutation score +100\.0 % of 2 mutants")

    def test_a_task_that_a_constant_solves_is_found(self):
        result = self.audit([{"args": [0], "result": 0}], "--mutants", "0", "--set", "reward.ran_weight=0.1")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("constant on twice/python: 1 ", result.stdout)

    def test_shaping_of_one_half_is_refused(self):
        self.assert_refused(self.audit(TESTS, "--set", "reward.ran_weight=0.4", "--set", "reward.near_miss_weight=0.1"),
                            1, "less than 0.5", "near_miss 0.1 + ran 0.4")


class RewardServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = RewardClient(token="")
        cls.addClassCleanup(cls.client.close)
        rewards.shared_client = lambda: cls.client

    def test_code_reward_as_trl_calls_it(self):
        reward = plumb_reward.CodeReward(self.client)
        self.assertEqual(reward(prompts=["p"] * 3, completions=[RIGHT, [{"role": "assistant", "content": WRONG}], "no"],
                                function=[FUNCTION] * 3, tests=[TESTS] * 3), [1.0, 0.0, 0.0])
        record = reward.scores([WRONG], function=[FUNCTION], tests=[TESTS])[0]
        self.assertEqual((record["verdict"], record["passed"], record["tests"]), ("WA", 0, 4))
        self.assertEqual(record["parts"][0]["reasons"], ["WA in test 1 (0 of 4 tests pass)"])

    def test_math_reward(self):
        reward = plumb_reward.MathReward(self.client)
        self.assertEqual(reward(completions=["\\boxed{0.5}", "\\boxed{2}"], answer=["1/2", "1/2"]), [1.0, 0.0])

    def test_compute_score_as_verl_calls_it(self):
        truth = json.dumps({"fn_name": "twice", "inputs": [[3], [-2]], "outputs": [[6], [-4]]})
        self.assertEqual(plumb_reward.compute_score("code", RIGHT, truth, {})["score"], 1.0)
        self.assertEqual(plumb_reward.compute_score("code", WRONG, truth, None)["acc"], 0.0)
        self.assertEqual(plumb_reward.score("math", "\\boxed{7}", "7"), {"score": 1.0, "acc": 1.0})

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.client._host, self.client._port, timeout=30)
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def test_refusals_name_the_reason(self):
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        for body, word in (("{", "body"), ("[]", "object"), ("{}", "completion"),
                           ('{"completion": "x", "row": {"id": 1}}', "no known row shape")):
            status, text = self.ask("POST", "/v1/score", body)
            self.assertEqual(status, 400, text)
            self.assertIn(word, text)
        self.assertEqual(self.ask("GET", "/v1/score")[0], 404)
        bad = self.client.score([{"completion": "x", "row": {}}, {"solution_str": "\\boxed{1}", "ground_truth": "1"}])
        self.assertIn("error", bad[0])
        self.assertEqual(bad[1]["total"], 1)

    def test_judge_and_memory(self):
        item = {"id": "a", "completion": fenced("def twice(n):\n    return 2 * n"), "row": task(TESTS),
                "language": "python"}
        status, text = self.ask("POST", "/v1/judge", json.dumps(item))
        self.assertEqual((status, json.loads(text)["verdict"]), (200, "AC"), text)
        answers = [self.ask("POST", "/v1/score", json.dumps(item))[1] for _ in range(2)]
        self.assertEqual(*map(json.loads, answers))
        self.assertEqual(json.loads(answers[1])["id"], "a")
        self.assertRegex(self.ask("GET", "/metrics")[1], r"scores_remembered_total [1-9]")


if __name__ == "__main__":
    unittest.main()
