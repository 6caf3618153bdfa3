"""audit-reward finds a reward that can be had for nothing; the reward server scores for trainers through its client."""

import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
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

    def audit_programs(self, reference, cases):
        truth = {"inputs": [case[0] for case in cases], "outputs": [case[1] for case in cases]}
        rows = [{"prompt": "Print twice the number.", "data_source": "own", "completion": reference,
                 "reward_model": {"ground_truth": json.dumps(truth)}, "extra_info": {"language": language}}
                for language in ("python", "cpp")]
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return self.plumb("audit-reward", "--set", 'data.tasks="rows.jsonl"', "--set", "data.train_splits=[]",
                          "--set", "data.languages=python,cpp")

    def test_whole_programs_are_tried_too(self):
        result = self.audit_programs("", [("1\n", "2\n"), ("4\n", "8\n")])
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"ends_its_parent +0\.000")
        result = self.audit_programs("", [("1\n", "2\n")])
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"constant on .*: 1 ")

    def test_tests_that_are_code_are_tried_too(self):
        row = {"task_id": 1, "text": "Write a function to double.", "code": "def twice(n):\n    return 2 * n\n",
               "test_list": ["assert twice(3) == 6", "assert twice(-1) == -2"]}
        (self.folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
        arguments = ("audit-reward", "--set", 'data.tasks="rows.jsonl"', "--set", "data.train_splits=[]")
        result = self.plumb(*arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"equals_everything +0\.000")
        row["test_list"] = ["assert twice(0) in (0, None)"]
        (self.folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
        result = self.plumb(*arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"constant on mbpp/1: 1 ")

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
        self.assertEqual(record["feedback"], "Test 1 of 4 gives a wrong result.")
        raised, none = reward.scores([fenced("def twice(n):\n    return n // 0"), "no"], function=[FUNCTION] * 2,
                                     tests=[TESTS] * 2)
        self.assertEqual(raised["feedback"], "Test 1 of 4 ends in an error.\nLine 2: ZeroDivisionError: integer "
                                             "division or modulo by zero\n    return n // 0")
        self.assertIn("no closed code block", none["feedback"])

    def test_code_reward_with_tests_that_are_code(self):
        reward = plumb_reward.CodeReward(self.client)
        asserts = ["assert twice(3) == 6", "assert twice([1]) == [1, 1]"]
        self.assertEqual(reward(prompts=["p"] * 2, completions=[RIGHT, WRONG], test_list=[asserts] * 2), [1.0, 0.0])
        record = reward.scores([WRONG], test_list=[asserts])[0]
        self.assertEqual(record["feedback"], "Test 1 of 2 gives a wrong result.")
        prompt = "def half(n):\n    return n / 2\n\ndef twice(n):\n    'doubles'\n"
        test = "def check(candidate):\n    assert half(candidate(3)) == 3\n"
        cheat = fenced("def half(n):\n    return 3\ndef twice(n):\n    return 0")
        self.assertEqual(reward(prompts=[prompt] * 2, completions=[RIGHT, cheat], test=[test] * 2,
                                entry_point=["twice"] * 2), [1.0, 0.0])

    def test_what_new_users_met(self):
        large = {"fn_name": "f", "inputs": [[10 ** 30]], "outputs": [10 ** 30 + 1]}
        for body, right in (("x + 1", 1.0), ("x", 0.0), ("float(x)", 0.0)):
            code = fenced(f"class Solution:\n    def f(self, x):\n        return {body}")
            self.assertEqual(plumb_reward.score("apps", code, large)["score"], right, body)
        self.assertEqual(plumb_reward.score("math", "\\boxed{10^{30}}", 10 ** 30)["score"], 1.0)
        with self.assertRaises(ValueError):
            plumb_reward.score("math", "1", None)
        with self.assertRaises(plumb_reward.RewardServerError):
            plumb_reward.score("math", "\\boxed{1}", " ")
        program = {"inputs": ["3"], "outputs": ["6"]}
        cpp = fenced("int main() { int n; std::cin >> n; std::cout << 2 * n; }").replace("python", "cpp")
        self.assertEqual(plumb_reward.score("code", cpp, program, {"language": "C++"})["score"], 1.0)
        with self.assertRaisesRegex(ValueError, "java"):
            plumb_reward.score("code", cpp, program, {"language": "java"})
        self.assertEqual(plumb_reward.MathReward(self.client)(completions=["\ud800 \\boxed{1}", []], answer=["1", "1"]),
                         [1.0, 0.0])

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
                           ('{"completion": "x", "row": {"text": "a"}}', "plain text"),
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

    def test_verify_math(self):
        status, text = self.ask("POST", "/v1/verify_math", json.dumps({"id": 7, "gold": "1/2", "pred": "\\boxed{0.5}"}))
        self.assertEqual((status, json.loads(text)["verdict"], json.loads(text)["id"]), (200, "equal", 7))
        items = [{"gold": "2", "pred": "\\boxed{3}"}, {"pred": "1"}, 5, {"gold": "4", "pred": "\\boxed{2^2}"}]
        status, text = self.ask("POST", "/v1/verify_math", json.dumps({"items": items}))
        rows = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([row["index"] for row in rows], [0, 1, 2, 3])
        self.assertEqual((rows[0]["result"]["verdict"], rows[3]["result"]["verdict"]), ("not_equal", "equal"))
        self.assertIn("gold", rows[1]["result"]["error"])
        self.assertIn("object", rows[2]["result"]["error"])
        self.assertEqual(self.ask("POST", "/v1/verify_math", "{")[0], 400)

    def run_code(self, **request):
        status, text = self.ask("POST", "/run_code", json.dumps(request))
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def test_run_code_as_sandbox_fusion_answers(self):
        """The fields that verl's client of SandboxFusion reads, and what it takes them for."""
        echo = self.run_code(code="import sys\nsys.stderr.write('note')\nprint(input()[::-1])", language="python",
                             stdin="abc\n", run_timeout=5, compile_timeout=5, memory_limit_MB=512, files={},
                             fetch_files=[])
        self.assertEqual((echo["status"], echo["compile_result"]), ("Success", None))
        run = echo["run_result"]
        self.assertEqual((run["status"], run["return_code"], run["stdout"], run["stderr"]),
                         ("Finished", 0, "cba\n", "note"))
        failed = self.run_code(code="print('so far')\nraise SystemExit(3)", language="python")
        self.assertEqual((failed["status"], failed["run_result"]["return_code"], failed["run_result"]["stdout"]),
                         ("Failed", 3, "so far\n"))
        late = self.run_code(code="while True: pass", language="python", run_timeout=0.3)
        self.assertEqual((late["status"], late["run_result"]["status"]), ("Failed", "TimeLimitExceeded"))
        cpp = self.run_code(code="#include <iostream>\nint main() { int n; std::cin >> n; std::cout << 2 * n; }",
                            language="cpp", stdin="21")
        self.assertEqual((cpp["status"], cpp["compile_result"]["return_code"], cpp["run_result"]["stdout"]),
                         ("Success", 0, "42"))
        broken = self.run_code(code="int main() { return x; }", language="cpp")
        self.assertEqual((broken["status"], broken["compile_result"]["return_code"], broken["run_result"]),
                         ("Failed", 1, None))
        self.assertIn("x", broken["compile_result"]["stderr"])
        crash = self.run_code(code="int main() { __builtin_trap(); }", language="cpp")
        self.assertLess(crash["run_result"]["return_code"], 0)
        large = self.run_code(code="print('x' * 100000)", language="python")
        self.assertEqual(len(large["run_result"]["stdout"]), 100001)
        for request, word in (({"language": "python"}, "code"), ({"code": "", "language": "cobol"}, "cobol"),
                              ({"code": "", "language": "python", "files": {"a": "eA=="}}, "files"),
                              ({"code": "", "language": "python", "run_timeout": -1}, "run_timeout"),
                              ({"code": 1, "language": "python"}, "code")):
            answer = self.run_code(**request)
            self.assertEqual(answer["status"], "SandboxError")
            self.assertIn(word, answer["message"])

    def test_submit_as_sandbox_fusion_answers(self):
        tests = [{"input": {"stdin": f"{n}\n"}, "output": {"stdout": f"{2 * n}\n"}} for n in (1, 2, 5)]

        def submit(completion, **config):
            body = {"dataset": "own", "id": 4, "completion": completion,
                    "config": {"provided_data": {"test": tests}, **config}}
            status, text = self.ask("POST", "/submit", json.dumps(body))
            self.assertEqual(status, 200, text)
            return json.loads(text)

        right = submit("```python\nprint(2 * int(input()))\n```")
        self.assertEqual((right["id"], right["accepted"], [test["passed"] for test in right["tests"]]),
                         (4, True, [True] * 3))
        partly = submit("```\nprint(int(input()) + 1)\n```", language="python")
        self.assertEqual((partly["accepted"], [test["passed"] for test in partly["tests"]]), (False, [True, False, False]))
        self.assertEqual((submit("no code")["accepted"], submit("no code")["tests"]), (False, []))
        unbuilt = submit("```cpp\nint main( {\n```")
        self.assertEqual((unbuilt["accepted"], unbuilt["tests"][0]["exec_info"]["status"]), (False, "Failed"))
        self.assertEqual(self.ask("POST", "/submit", json.dumps({"completion": "x", "config": {}}))[0], 400)


class Ending(PlumbCase):
    def test_what_waits_is_answered_when_the_server_is_told_to_end(self):
        client = RewardClient(token="", arguments=("--set", "judge.slots=1"))
        self.addCleanup(client.close)
        loops = [{"row": task(TESTS), "language": "python",
                  "completion": fenced(f"def twice(n):\n    while True:\n        n += {i}")} for i in range(30)]
        answers = []
        asker = threading.Thread(target=lambda: answers.extend(client.score(loops)))
        asker.start()
        time.sleep(1.5)
        start = time.monotonic()
        client._server._process.terminate()
        self.assertEqual(client._server._process.wait(timeout=60), 0)
        self.assertLess(time.monotonic() - start, 20)  # one is being judged, 29 would take a minute
        asker.join()
        self.assertEqual(len(answers), 30)
        waited = [answer for answer in answers if answer.get("unscored")]
        self.assertGreater(len(waited), 20)
        self.assertIn("stopping", waited[0]["unscored"]["fault"])
        self.assertIsNone(waited[0]["total"])


    def test_a_server_ends_with_who_started_it_however_that_ends(self):
        script = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom plumb_reward import RewardClient\n"
                  "client = RewardClient(token='')\nprint(client._server._process.pid, flush=True)\nsys.stdin.read()")
        owner = subprocess.Popen([sys.executable, "-c", script, str(REPOSITORY / "clients" / "python")],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        server = int(owner.stdout.readline())
        owner.kill()
        owner.communicate()
        until = time.monotonic() + 20
        while pathlib.Path(f"/proc/{server}/cmdline").exists() and time.monotonic() < until:
            if pathlib.Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                break  # nobody has to bury it here
            time.sleep(0.1)
        self.assertLess(time.monotonic(), until)

    def test_who_hangs_up_is_not_worked_for(self):
        client = RewardClient(token="", arguments=("--set", "judge.slots=1", "--queue", "40"))
        self.addCleanup(client.close)
        loops = [{"row": task(TESTS), "language": "python",
                  "completion": fenced(f"def twice(n):\n    while True:\n        n += {i}")} for i in range(40)]
        gone = http.client.HTTPConnection(client._host, client._port, timeout=30)
        gone.request("POST", "/v1/score", json.dumps({"items": loops}))
        time.sleep(1)
        gone.close()
        start = time.monotonic()  # the queue is full until the server has noticed
        self.assertEqual(client.score([{"row": task(TESTS), "language": "python", "completion": RIGHT}])[0]["total"], 1)
        self.assertLess(time.monotonic() - start, 20)  # forty would take more than a minute


class ManyItems(unittest.TestCase):
    """What a client does with limits, forks and odd values; against a small server."""

    @classmethod
    def setUpClass(cls):
        cls.client = RewardClient(token="", arguments=("--queue", "3"))
        cls.addClassCleanup(cls.client.close)

    def maths(self, numbers, **more):
        return [{"solution_str": f"\\boxed{{{n}}}", "ground_truth": "7", **more} for n in numbers]

    def test_more_than_a_request_may_hold(self):
        scores = self.client.score(self.maths(range(5000)))
        self.assertEqual([i for i, score in enumerate(scores) if score["total"] == 1], [7])
        long = "x" * (1 << 20)
        scores = self.client.score([{"solution_str": long + f"\\boxed{{{n}}}", "ground_truth": "7"} for n in range(20)])
        self.assertEqual([i for i, score in enumerate(scores) if score["total"] == 1], [7])

    def test_more_programs_than_the_queue_holds(self):
        items = [{"row": task(TESTS), "language": "python", "completion": fenced(f"def twice(n):\n    return n * {n}")}
                 for n in range(10)]
        self.assertEqual([score["total"] for score in self.client.score(items)], [0, 0, 1] + 7 * [0])

    def test_what_is_too_large_is_told(self):
        with self.assertRaisesRegex(plumb_reward.RewardServerError, "413.*16 MiB"):
            self.client.score([{"solution_str": "x" * (17 << 20), "ground_truth": "7"}])

    def test_values_of_data_frames(self):
        odd = {"extra_info": {"split": float("nan"), "deep": [1, {"a": float("inf")}], "half": "\ud800"}}
        self.assertEqual([score["total"] for score in self.client.score(self.maths([7, 8], **odd))], [1, 0])
        deep = []
        for _ in range(100000):
            deep = [deep]
        with self.assertRaisesRegex(ValueError, "item 1 "):
            self.client.score([{}, {"extra_info": deep}])
        with self.assertRaisesRegex(ValueError, "ground_truth.*list"):
            plumb_reward.compute_score("math", "7", ["7"])

    def test_forks_have_connections_of_their_own(self):
        self.client.score(self.maths([7]))
        children = []
        for child in range(2):
            process = os.fork()
            if process == 0:
                numbers = [7 if (n + child) % 2 else n for n in range(200, 400)]
                right = all(self.client.score(self.maths([n]))[0]["total"] == (n == 7) for n in numbers)
                self.client.close()  # not its server
                os._exit(0 if right else 1)
            children.append(process)
        self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0])
        self.assertEqual(self.client.score(self.maths([7]))[0]["total"], 1)

    def test_a_server_that_is_not_there(self):
        with self.assertRaisesRegex(plumb_reward.RewardServerError, "cannot be started"):
            RewardClient(binary="/nowhere/plumb")
        with self.assertRaisesRegex(plumb_reward.RewardServerError, "refused"):
            RewardClient("http://127.0.0.1:1").score(self.maths([7]))


class Messages(PlumbCase):
    def test_scores_over_zeromq_are_those_over_http(self):
        binary = pathlib.Path(os.environ["PLUMB_BINARY"])
        server = subprocess.Popen([binary, "reward-server", "--port", "0", "--messages", "ipc://socket"],
                                  cwd=self.folder, stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.terminate)
        self.assertIn("ipc://socket", server.stdout.readline())
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())[1])
        items = [{"row": task(TESTS), "completion": completion} for completion in (RIGHT, WRONG, "no code")]
        items += [{"data_source": "openai/gsm8k", "ground_truth": "7", "solution_str": text} for text in ("#### 7", "8")]
        (self.folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in [*items, {"row": 3}]))
        asked = subprocess.run([binary.parent / "reward_messages", "ipc://socket", "items.jsonl"], cwd=self.folder,
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        answers = [json.loads(line) for line in asked.stdout.splitlines()]
        self.assertEqual([answer["status"] for answer in answers], ["OK"] * len(items) + ["INVALID"])
        self.assertIn("completion", answers[-1]["error"])
        self.assertEqual([answer["json"]["solved"] for answer in answers[:-1]], [True, False, False, True, False])
        for item, answer in zip(items, answers):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/v1/score", json.dumps(item))
            self.assertEqual(json.loads(connection.getresponse().read()), answer["json"])
            connection.close()
        refused = self.plumb("reward-server", "--port", "0", "--messages", "tcp://0.0.0.0:*")
        self.assert_refused(refused, 1, "tcp://0.0.0.0:*", "token")


if __name__ == "__main__":
    unittest.main()
