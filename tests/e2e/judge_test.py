"""plumb judge and plumb sandbox: rows in, evidence out; bad rows told apart, a cut-off file gone on with."""

import json
import os
import subprocess
import time
import unittest

from plumb_case import PlumbCase

SUM = "a, b = map(int, input().split())\nprint(a + b)"
TESTS = [{"input": "2 3\n", "output": "5\n"}, {"input": "1 1\n", "output": "2\n"}]
ROWS = [
    {"id": "right", "language": "python", "source": SUM, "entry": "stdio", "tests": TESTS},
    {"id": "half", "language": "python", "source": "input()\nprint(5)", "tests": TESTS, "stop_at_first_failure": False},
    {"id": "function", "language": "python", "source": "def f(x, ys):\n    return [x] + ys", "entry": "function:f",
     "tests": [{"args": [1, []], "result": [1]}, {"args": [1, [2]], "result": [1, 2]}]},
    {"id": "cpp", "language": "cpp", "source": "double f(double x) { return x / 2; }", "entry": "function:f",
     "tests": [{"args": [1.0], "result": 0.5}]},
    {"id": "suite", "language": "python", "source": "def add(a, b=1):\n    return a + b", "entry": "assert",
     "test_code": "assert add(1) == 2\nassert add((1,), b=(2,)) == (1, 2)"},
    {"id": "own types", "language": "cpp", "source": "long long f(long long x) { return 2 * x; }", "entry": "function:f",
     "tests": [{"args": [3000000000], "result": 6000000000}]},
    {"id": "large", "language": "python", "source": "def f(x):\n    return {x: x ** 3}", "entry": "function:f",
     "tests": [{"args": [10 ** 15], "result": {"__dict__": [[10 ** 15, 10 ** 45]]}}]},
    "{\"id\": \"torn\", ",
    {"id": "entry", "language": "python", "source": "", "entry": "magic", "tests": []},
    {"id": "limit", "language": "python", "source": "", "limits": {"cpu": 1}, "tests": TESTS},
    {"id": "float", "language": "python", "source": "print(0.1 + 0.2)", "checker": {"kind": "float", "relative": 1e-6},
     "tests": [{"input": "", "output": "0.3"}]},
    {"id": "binary", "language": "python", "source": "import sys\nsys.stdout.buffer.write(b'\\xff\\n')",
     "tests": [{"input": "", "output": "5"}], "limits": {"cpu_s": 1, "memory_mib": 128}},
    {"id": 8, "language": "python", "source": "print(5)", "tests": [{"input": "", "output": "5"}]},
    {"id": "half", "language": "python", "source": "print(6)", "tests": [{"input": "", "output": "5"}]},
]
VERDICTS = {"right": "AC", "half": "WA", "function": "AC", "cpp": "AC", "float": "AC", "binary": "WA", "suite": "AC",
            "own types": "AC", "large": "AC", "8": "AC"}


class Judge(PlumbCase):
    def judge(self, *more):
        result = self.plumb("judge", "--in", "in.jsonl", "--out", "out.jsonl", *more)
        if "The sandbox lacks" in result.stderr:
            self.skipTest(result.stderr)
        return result

    def read(self):
        return [json.loads(line) for line in (self.folder / "out.jsonl").read_text().splitlines()]

    def test_what_the_text_shows_stands_beside_the_verdict(self):
        source = "import os\ndef f(n):\n    if n > 1:\n        os.system('a' + n)\n    return n\n"
        rows = [{"id": "a", "language": "python", "source": source, "entry": "function:f",
                 "tests": [{"args": [1], "result": 1}]},
                {"id": "b", "language": "bash", "source": "echo 5", "tests": [{"input": "", "output": "5\n"}]}]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        result = self.judge("--findings", "--structure")
        self.assertEqual(result.returncode, 0, result.stderr)
        first, second = self.read()
        self.assertEqual((first["verdict"], second["verdict"]), ("AC", "AC"))
        self.assertEqual([(one["cwe"], one["line"]) for one in first["findings"]], [("CWE-78", 4)])
        self.assertEqual(first["structure"]["functions"],
                         [{"name": "f", "line": 2, "lines": 4, "parameters": 1, "cyclomatic": 2, "nesting": 1}])
        self.assertIn("not of bash", second["structure_fault"])

    def test_forbidden_names_are_findings(self):
        rows = [{"id": "a", "language": "python", "source": "import os as o\no.system('true')\nprint(5)",
                 "tests": [{"input": "", "output": "5"}], "forbidden": ["eval", "os.system"]},
                {"id": "b", "language": "python", "source": "print(5)  # eval", "forbidden": ["eval"],
                 "tests": [{"input": "", "output": "5"}]},
                {"id": "c", "language": "bash", "source": "echo 5", "forbidden": ["eval"],
                 "tests": [{"input": "", "output": "5"}]}]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        result = self.judge()
        self.assertEqual(result.returncode, 0, result.stderr)
        first, second, third = self.read()
        self.assertEqual([(one["rule"], one["severity"], one["line"], one["message"]) for one in first["findings"]],
                         [("forbidden-api", "high", 2, "os.system")])
        self.assertEqual((second["verdict"], second["findings"]), ("AC", []))
        self.assertIn("python, c and cpp", third["error"])

    def test_rows_in_order_with_errors_told_apart(self):
        text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in ROWS)
        (self.folder / "in.jsonl").write_text(text)
        result = self.judge()
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = self.read()
        names = [str(row["id"]) if isinstance(row, dict) else "line:8" for row in ROWS]
        names[-1] = "line:14"  # of an id that another has
        self.assertEqual([row["id"] for row in rows], names)
        by_id = {row["id"]: row for row in rows}
        self.assertEqual({name: by_id[name]["verdict"] for name in VERDICTS}, VERDICTS, rows)
        self.assertEqual(by_id["half"]["tests"], ["AC", "WA"])
        self.assertEqual((by_id["half"]["passed"], by_id["half"]["total"]), (1, 2))
        self.assertEqual(by_id["binary"]["output"], {"base64": "/wo="})
        self.assertIn("seccomp", by_id["right"]["isolation"])
        for name, line, words in (("line:8", 8, "JSON object"), ("entry", 9, "stdio"), ("limit", 10, "\"cpu\""),
                                  ("line:14", 14, "used twice")):
            self.assertEqual(by_id[name]["line"], line)
            self.assertIn(words, by_id[name]["error"])

        # Cut off in the middle of a line, it is gone on with.
        whole = (self.folder / "out.jsonl").read_text()
        (self.folder / "out.jsonl").write_text(whole[:len(whole) // 2])
        self.assert_refused(self.judge(), 1, "--resume")
        self.assertEqual(self.judge("--resume").returncode, 0)
        self.assertEqual([(row["id"], row.get("verdict")) for row in self.read()],
                         [(row["id"], row.get("verdict")) for row in rows])

    def test_what_could_not_be_judged_is_judged_on_resuming(self):
        rows = [{"id": name, "language": "python", "source": f"print({name!r})", "tests": [{"input": "", "output": name}]}
                for name in "abcde"]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.assertEqual(self.judge().returncode, 0)
        whole = (self.folder / "out.jsonl").read_text().splitlines()
        faulty = [json.dumps({"id": name, "verdict": "SE", "fault": "the launcher is gone"}) for name in "bd"]
        (self.folder / "out.jsonl").write_text("\n".join([whole[0], faulty[0], whole[2], faulty[1]]) + "\n")
        result = self.judge("--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([(row["id"], row["verdict"]) for row in self.read()], [(name, "AC") for name in "abcde"])
        self.assertNotIn("could not be judged", result.stderr)

        # A row that is no longer asked for stays as it was, with what stood behind it.
        (self.folder / "out.jsonl").write_text("\n".join([whole[0], faulty[0], whole[2]]) + "\n")
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (rows[0], rows[2], rows[3])))
        result = self.judge("--resume")
        self.assertEqual([(row["id"], row["verdict"]) for row in self.read()],
                         [("a", "AC"), ("d", "AC"), ("b", "SE"), ("c", "AC")])
        self.assertIn("1 of out.jsonl could not be judged", result.stderr)

        # Nor is it in the way of those behind it: each has its place, and one line.
        (self.folder / "out.jsonl").write_text("\n".join([whole[0], faulty[0], whole[2], faulty[1], whole[4]]) + "\n")
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (rows[0], *rows[2:])))
        result = self.judge("--resume")
        self.assertEqual([(row["id"], row["verdict"]) for row in self.read()],
                         [("a", "AC"), ("b", "SE"), ("c", "AC"), ("d", "AC"), ("e", "AC")])
        self.assertFalse((self.folder / "out.jsonl.held").exists())

    def test_a_resumed_run_that_is_killed_loses_nothing(self):
        rows = [{"id": name, "language": "python", "source": f"print({name!r})",
                 "tests": [{"input": "", "output": name}]} for name in "abcd"]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.assertEqual(self.judge().returncode, 0)
        whole = (self.folder / "out.jsonl").read_text().splitlines()
        marked = [json.dumps(json.loads(line) | {"mark": 1}) for line in whole]  # of an earlier run
        faulty = json.dumps({"id": "b", "verdict": "SE", "fault": "the launcher is gone"})
        before = [marked[0], faulty, marked[2], marked[3]]
        slow = rows[1] | {"source": "while True: pass", "limits": {"cpu_s": 20, "wall_s": 60}}
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (rows[0], slow, *rows[2:])))
        (self.folder / "out.jsonl").write_text("\n".join(before) + "\n")
        held = self.folder / "out.jsonl.held"
        command = [os.environ["PLUMB_BINARY"], "judge", "--in", "in.jsonl", "--out", "out.jsonl", "--resume"]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            end = time.monotonic() + 60
            while not held.exists() and time.monotonic() < end:
                time.sleep(0.01)
            process.kill()
        self.assertEqual(held.read_text().splitlines(), before[1:])
        self.assert_refused(self.judge(), 1, "--resume")
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

        # Wherever it was killed: the file not yet cut, cut to nothing but what stood before the fault, or torn later on.
        for left in (before, before[:1], [marked[0], whole[1]], [marked[0], whole[1], marked[2], marked[3][:9]]):
            with self.subTest(left=len(left)):
                held.write_text("\n".join(before[1:]) + "\n")
                torn = len(left) == 4 and left[3] != before[3]
                (self.folder / "out.jsonl").write_text("\n".join(left) + ("" if torn else "\n"))
                result = self.judge("--resume")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual([(row["id"], row["verdict"], "mark" in row) for row in self.read()],
                                 [("a", "AC", True), ("b", "AC", False), ("c", "AC", True), ("d", "AC", True)])
                self.assertFalse(held.exists())
        # Of a first row with a fault nothing is left but what is held.
        held.write_text(faulty.replace('"b"', '"a"') + "\n" + "\n".join(marked[1:]) + "\n")
        (self.folder / "out.jsonl").write_text("")
        self.assert_refused(self.judge(), 1, "out.jsonl.held")
        self.assertEqual(self.judge("--resume").returncode, 0)
        self.assertEqual([(row["id"], "mark" in row) for row in self.read()],
                         [("a", False), ("b", True), ("c", True), ("d", True)])

    def test_evidence_is_kept_for_another_day(self):
        rows = [{"id": "a", "language": "python", "source": "print(int(input()) * 2)", "tests": [{"input": "3", "output": "6"}]},
                {"id": "b", "language": "python", "source": "while True: pass", "tests": [{"input": "", "output": ""}],
                 "limits": {"cpu_s": 0.2}}]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.judge("--evidence-dir", "kept")
        first = self.read()
        (self.folder / "out.jsonl").unlink()
        self.judge("--evidence-dir", "kept")
        second = self.read()
        self.assertEqual([row["verdict"] for row in second], ["AC", "TLE"])
        self.assertEqual([row["cached"] for row in first], [False, False])
        self.assertEqual([row["cached"] for row in second], [True, False])  # a quicker machine might let it pass
        self.assertEqual(first[0] | {"cached": True}, second[0])

    def test_one_program_by_hand(self):
        (self.folder / "sum.py").write_text(SUM)
        (self.folder / "in.txt").write_text("2 3\n")
        (self.folder / "in.jsonl").write_text("")
        self.judge()
        result = self.plumb("sandbox", "run", "sum.py", "--stdin", "in.txt")
        self.assertEqual((result.returncode, result.stdout.strip()), (0, "5"), result.stderr)
        (self.folder / "expected.txt").write_text("6\n")
        wrong = self.plumb("sandbox", "run", "sum.py", "--stdin", "in.txt", "--expect", "expected.txt")
        self.assertEqual(wrong.returncode, 1, wrong.stderr)
        self.assertIn("WA", wrong.stderr)
        self.assertIn("python", self.plumb("sandbox", "languages").stdout)
        (self.folder / "talks.py").write_text("import sys\nprint('x' * 5000)\nprint('said', file=sys.stderr)\nsys.exit(3)")
        talks = self.plumb("sandbox", "run", "talks.py")
        self.assertIn("said", talks.stderr)
        self.assertIn("RE (exit status 3)", talks.stderr)
        self.assertEqual(len(talks.stdout.strip()), 5000)
        self.assertIn("OLE", self.plumb("sandbox", "run", "talks.py", "--output-bytes", "1000").stderr)
        (self.folder / "threads.py").write_text("import threading, time\nts = [threading.Thread(target=time.sleep, args=(1,)) "
                                                "for _ in range(9)]\n[t.start() for t in ts]\n[t.join() for t in ts]")
        self.assertEqual(self.plumb("sandbox", "run", "threads.py", "--processes", "16").returncode, 0)
        self.assertIn("RE", self.plumb("sandbox", "run", "threads.py", "--processes", "4").stderr)
        self.assert_refused(self.plumb("sandbox", "run", "in.txt"), 1, "--lang")


if __name__ == "__main__":
    unittest.main()
