#!/usr/bin/env python3
"""Writes functions.jsonl, audit.jsonl and math.jsonl from the declarations in tasks_*.py and math_templates.py.

Usage: generate.py [FOLDER]   (default: this folder). Standard library only; the same bytes on every run.
Expected values come from running the Python references. Graded inputs are chosen so that every mutant of the reference
that differs from it anywhere in the pool fails; the audit inputs are others.
"""

import ast
import json
import pathlib
import random
import sys

import math_templates
from mutants import compile_function, mutants, outcome, same
from primer_tasks import all_tasks

POOL = 900       # distinct inputs drawn per task, where the domain has that many
PROBED = 300     # of them, those that mutants are run on
GRADED = 24
EDGES = 40       # the front of a pool: combinations of the values declared as edges
FILL_EDGES = 6   # of them, those that may fill up the graded inputs
AUDIT = 200
INT_MAX = 2**31 - 1


def dumps(value):
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def edge_inputs(gens):
    """All combinations of the edge values, at most EDGES."""
    combos = [[]]
    for gen in gens:
        combos = [c + [e] for c in combos for e in (gen.edges or [None])]
    return [c for c in combos if None not in c][:EDGES] if gens else []


def draw_pool(task, rng):
    """Distinct argument lists: edges first, then draws."""
    draw = task["draw"] or (lambda r: [gen.draw(r) for gen in task["gens"]])
    pool = {}
    for args in edge_inputs(task["gens"]):
        pool.setdefault(dumps(args), args)
    for _ in range(POOL * 8):
        if len(pool) >= POOL:
            break
        args = draw(rng)
        pool.setdefault(dumps(args), args)
    return list(pool.values())


def check_value(value, type_name, where):
    """Refuses a value that is not exactly of the task type, or an int beyond 32 bits."""
    if type_name.startswith("list["):
        good = type(value) is list
        for item in value if good else []:
            check_value(item, type_name[5:-1], where)
    else:
        good = type(value) is {"int": int, "float": float, "bool": bool, "str": str}[type_name]
        if good and type_name == "int":
            good = abs(value) <= INT_MAX
        if good and type_name == "str":
            good = value.isascii()
    if not good:
        raise SystemExit(f"{where}: {value!r} is not a {type_name}")


def make_cases(task, pool):
    call = compile_function(ast.parse(task["references"]["python"]), task["name"])
    cases = []
    for args in pool:
        for value, parameter in zip(args, task["function"]["parameters"]):
            check_value(value, parameter["type"], task["name"])
        result = call(args)
        check_value(result, task["function"]["returns"], task["name"])
        cases.append({"args": args, "result": result})
    return cases


def wrong_bodies(task):
    """Callables that must fail: mutants, and bodies that return an argument."""
    tree = ast.parse(task["references"]["python"])
    calls = [compile_function(ast.parse(m), task["name"]) for m in mutants(task["references"]["python"])]
    for parameter in task["function"]["parameters"]:
        if parameter["type"] == task["function"]["returns"]:
            tree.body[0].body = ast.parse(f"return {parameter['name']}").body
            calls.append(compile_function(ast.parse(ast.unparse(ast.fix_missing_locations(tree))), task["name"]))
    return calls


def killers(calls, cases):
    """For each wrong body that differs from the reference: the indices of the cases that show it."""
    found = []
    for call in calls:
        kills = set()
        failures = 0
        for i, case in enumerate(cases):
            ok, value = outcome(call, case["args"])
            if not (ok and same(value, case["result"])):
                kills.add(i)
            failures += value == "Hung" if not ok else 0
            if failures >= 2:
                break
        if kills:
            found.append(kills)
    return found


def choose_graded(task, cases, blocked):
    """Indices of the graded cases: first those that kill the most wrong bodies, then a varied, class-balanced fill."""
    alive = killers(wrong_bodies(task), cases[:PROBED])
    alive = [k - blocked for k in alive if k - blocked]
    chosen = []
    while alive:
        counts = {}
        for kills in alive:
            for i in kills:
                counts[i] = counts.get(i, 0) + 1
        best = min(counts, key=lambda i: (-counts[i], i))
        chosen.append(best)
        alive = [k for k in alive if best not in k]
    is_bool = task["function"]["returns"] == "bool"
    by_class = {}
    rest = [i for i in range(len(cases)) if i not in blocked and i not in chosen]
    edges = [i for i in rest if i < EDGES]
    for i in edges[:FILL_EDGES] + [i for i in rest if i >= EDGES] + edges[FILL_EDGES:]:
        by_class.setdefault(dumps(cases[i]["result"]) if is_bool else "", []).append(i)
    seen = {dumps(cases[i]["result"]) for i in chosen}
    if not is_bool:  # unseen results first, so that no constant and no short table passes
        by_class[""].sort(key=lambda i: dumps(cases[i]["result"]) in seen)
    while len(chosen) < GRADED:
        have = {key: sum(1 for i in chosen if not is_bool or dumps(cases[i]["result"]) == key) for key in by_class}
        key = min((k for k in by_class if by_class[k]), key=lambda k: have[k])
        chosen.append(by_class[key].pop(0))
    return chosen


def choose_audit(task, cases, taken):
    rest = [i for i in range(len(cases)) if i not in taken]
    if task["function"]["returns"] != "bool":
        return rest[:AUDIT]
    true = [i for i in rest if cases[i]["result"]]
    false = [i for i in rest if not cases[i]["result"]]
    few = min(len(true), len(false), AUDIT // 2)
    longer, shorter = (true, false) if len(true) > len(false) else (false, true)
    return sorted(shorter[:few] + longer[: AUDIT - few])


def make_row(task):
    """The row of functions.jsonl and the row of audit.jsonl."""
    rng = random.Random("primer/" + task["name"])
    cases = make_cases(task, draw_pool(task, rng))
    examples = []
    for i in [*range(EDGES, len(cases)), *range(EDGES)]:  # not from the edges, where there are others
        if len(examples) < 2 and all(not same(cases[i]["result"], cases[j]["result"]) for j in examples):
            examples.append(i)
    graded = choose_graded(task, cases, set(examples))
    audit = choose_audit(task, cases, set(examples) | set(graded))
    row = {
        "id": "primer/" + task["name"],
        "family": task["family"],
        "split": task["split"],
        "level": task["level"],
        "data_source": "primer",
        "license": "Apache-2.0",
        "description": task["description"],
        "function": task["function"],
        "references": task["references"],
        "examples": [cases[i] for i in examples],
        "tests": [cases[i] for i in graded],
    }
    return row, {"id": row["id"], "audit": [cases[i] for i in audit]}


def write(path, rows):
    path.write_text("".join(dumps(row) + "\n" for row in rows), encoding="ascii", newline="\n")


def write_all(folder):
    """Writes the three files into a folder."""
    rows = [make_row(task) for task in all_tasks()]
    write(folder / "functions.jsonl", [row for row, _ in rows])
    write(folder / "audit.jsonl", [audit for _, audit in rows])
    write(folder / "math.jsonl", math_templates.items())


if __name__ == "__main__":
    write_all(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
