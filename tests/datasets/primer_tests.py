"""Whether each task's graded inputs are worth their name: typed, balanced, disjoint from the audit, and sharp."""

import ast
import json
import random

from generate import AUDIT, check_value, draw_pool
from mutants import agrees, compile_function, mutants, outcome, same

MIN_GRADED = 20
MIN_CLASS = 0.4
MIN_KILLED = 0.95
RANDOM_INPUTS = 300


def _key(args):
    return json.dumps(args)


def check_cases(row, audit):
    """Types, counts, class balance, and that graded, audit and shown inputs are all different."""
    problems = []
    where = row["id"]
    groups = {"tests": row["tests"], "examples": row["examples"], "audit": audit}
    keys = [_key(case["args"]) for cases in groups.values() for case in cases]
    if len(set(keys)) != len(keys):
        problems.append(f"{where}: an input occurs twice among tests, examples and audit")
    for case in (case for cases in groups.values() for case in cases):
        check_value(case["result"], row["function"]["returns"], where)
        for value, parameter in zip(case["args"], row["function"]["parameters"]):
            check_value(value, parameter["type"], where)
    results = [json.dumps(case["result"]) for case in row["tests"]]
    if len(results) < MIN_GRADED or len(row["examples"]) != 2:
        problems.append(f"{where}: {len(results)} graded inputs, {len(row['examples'])} examples")
    shares = [results.count(value) / len(results) for value in set(results)]
    if len(shares) < 2 or (row["function"]["returns"] == "bool" and min(shares) < MIN_CLASS):
        problems.append(f"{where}: a constant passes, or a class is rare: {shares}")
    return problems


def check_python(row, audit):
    """The Python reference gives every recorded result."""
    call = compile_function(ast.parse(row["references"]["python"]), row["function"]["name"])
    cases = row["tests"] + row["examples"] + audit
    return [f"{row['id']}: the reference fails {case}" for case in cases if not agrees(call, case)]


def check_argument_bodies(row):
    """A body that returns a parameter fails."""
    return [f"{row['id']}: returning {parameter['name']} passes"
            for i, parameter in enumerate(row["function"]["parameters"])
            if all(same(case["args"][i], case["result"]) for case in row["tests"])]


def check_mutants(row, audit, task):
    """(problems, mutants that differ, of them killed). A mutant that agrees on the audit and on fresh random inputs
    counts as equal to the reference."""
    name = row["function"]["name"]
    reference = compile_function(ast.parse(row["references"]["python"]), name)
    fresh = draw_pool(task, random.Random("check/" + name))[-RANDOM_INPUTS:]
    probes = audit + [{"args": args, "result": reference(args)} for args in fresh]
    killed, survivors = 0, []
    for source in mutants(row["references"]["python"]):
        call = compile_function(ast.parse(source), name)
        if not all(agrees(call, case) for case in row["tests"]):
            killed += 1
        elif not all(agrees(call, case) for case in probes):
            survivors.append(source)
    total = killed + len(survivors)
    if total and killed < MIN_KILLED * total:
        return [f"{row['id']}: {len(survivors)} of {total} mutants survive, e.g.\n{survivors[0]}"], total, killed
    return [], total, killed


def short_of_audit(row, audit):
    """Whether the domain was too small for a full audit suite."""
    return len(audit) < AUDIT
