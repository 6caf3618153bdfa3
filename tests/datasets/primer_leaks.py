"""What must not pass from one split to another: families, solutions, long runs of tokens."""

import ast
import builtins
import collections
import itertools
import re

from mutants import agrees, compile_function

TRAINING = ("sft", "rl")
HELD_OUT = ("dev", "test")
GRAM = 8
# Loops that count or fill a list share their frame in any two programs of one style; whole solutions do not.
MAX_SHARED_GRAMS = {"python": 0.22, "cpp": 0.18}


def check_families(rows, key):
    """A family (or template) belongs to one split."""
    splits = collections.defaultdict(set)
    for row in rows:
        splits[row[key]].add(row["split"])
    return [f"{key} {name} is in {sorted(s)}" for name, s in splits.items() if len(s) > 1]


def _shape(row):
    return tuple(sorted(p["type"] for p in row["function"]["parameters"])), row["function"]["returns"]


def _solves(call, own, other):
    """Whether a reference passes another task's graded inputs under some order of the arguments."""
    types = [p["type"] for p in own["function"]["parameters"]]
    others = [p["type"] for p in other["function"]["parameters"]]
    for order in itertools.permutations(range(len(types))):
        if [others[i] for i in order] != types:
            continue
        moved = ({"args": [t["args"][i] for i in order], "result": t["result"]} for t in other["tests"])
        if all(agrees(call, case) for case in moved):
            return True
    return False


def check_cross_solutions(rows):
    """No reference of a held-out task solves a training task, nor the other way round, nor dev's test's."""
    calls = {r["id"]: compile_function(ast.parse(r["references"]["python"]), r["function"]["name"]) for r in rows}
    problems = []
    for own, other in itertools.permutations(rows, 2):
        same_side = own["split"] == other["split"] or {own["split"], other["split"]} == set(TRAINING)
        if not same_side and _shape(own) == _shape(other) and _solves(calls[own["id"]], own, other):
            problems.append(f"the reference of {own['id']} ({own['split']}) solves {other['id']} ({other['split']})")
    return problems


class _Skeleton(ast.NodeTransformer):
    """Names numbered by first use, constants emptied, annotations gone: what is left is how a solution is built."""

    def __init__(self):
        self.numbers = {}

    def _numbered(self, name):
        return self.numbers.setdefault(name, f"v{len(self.numbers)}")

    def visit_FunctionDef(self, node):
        node.name, node.returns = "f", None
        self.generic_visit(node)
        return node

    def visit_arg(self, node):
        return ast.arg(self._numbered(node.arg), None)

    def visit_Name(self, node):
        return node if hasattr(builtins, node.id) else ast.Name(self._numbered(node.id), node.ctx)

    def visit_Constant(self, node):
        return ast.Constant(type(node.value)())


def check_skeletons(rows):
    """No two functions of different splits are built alike: the measurable part of what a family means."""
    found = {}
    problems = []
    for row in rows:
        skeleton = ast.unparse(_Skeleton().visit(ast.parse(row["references"]["python"])))
        first = found.setdefault(skeleton, row)
        if first["split"] != row["split"]:
            problems.append(f"{row['id']} ({row['split']}) is built like {first['id']} ({first['split']})")
    return problems


def _grams(rows, language):
    grams = set()
    for row in rows:
        tokens = re.findall(r"\w+|\"[^\"]*\"|[^\w\s]", row["references"][language])
        grams |= {tuple(tokens[i:i + GRAM]) for i in range(len(tokens) - GRAM + 1)}
    return grams


def shared_grams(rows, split, language):
    """The share of a held-out split's distinct token 8-grams that training references hold, identifiers kept."""
    held = _grams([r for r in rows if r["split"] == split], language)
    return len(held & _grams([r for r in rows if r["split"] in TRAINING], language)) / len(held)


def check_shared_grams(rows):
    problems = []
    for split, language in itertools.product(HELD_OUT, MAX_SHARED_GRAMS):
        share = shared_grams(rows, split, language)
        print(f"token 8-grams of {split} that training holds, {language}: {share:.3f}")
        if share > MAX_SHARED_GRAMS[language]:
            problems.append(f"{split} shares {share:.3f} of its {language} 8-grams with training")
    return problems
