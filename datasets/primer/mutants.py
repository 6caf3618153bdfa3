"""Mutants of a Python reference, and running functions with a step budget.

A mutant is the reference with one small fault: another operator, a constant off by one, a turned comparison, a dropped
statement or branch. A task's graded inputs have to tell the reference from every mutant that is not its equal.
"""

import ast
import builtins
import copy

STEP_BUDGET = 5000  # loop iterations of one call; a mutant that needs more is called hung

_BINARY = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult, ast.Mod],
    ast.Mod: [ast.FloorDiv],
}
_COMPARE = {
    ast.Lt: [ast.LtE, ast.GtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt, ast.GtE],
    ast.Gt: [ast.GtE, ast.LtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt, ast.LtE],
    ast.Eq: [ast.NotEq, ast.LtE, ast.GtE],
    ast.NotEq: [ast.Eq, ast.Lt, ast.Gt],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_CALLS = {"min": "max", "max": "min", "all": "any", "any": "all", "sum": "len", "startswith": "endswith",
          "endswith": "startswith", "upper": "lower", "lower": "upper", "isupper": "islower"}


class Hung(Exception):
    """A function that used up its step budget."""


class _Ticks(ast.NodeTransformer):
    def _with_tick(self, node):
        self.generic_visit(node)
        node.body.insert(0, ast.parse("_tick()").body[0])
        return node

    visit_For = _with_tick
    visit_While = _with_tick


def compile_function(tree, name):
    """The function `name` of a module tree, counting loop iterations. Call it through `outcome`."""
    tree = ast.fix_missing_locations(_Ticks().visit(copy.deepcopy(tree)))
    steps = [0]

    def tick():
        steps[0] += 1
        if steps[0] > STEP_BUDGET:
            raise Hung()

    scope = {"__builtins__": builtins, "_tick": tick}
    exec(compile(tree, name, "exec"), scope)
    function = scope[name]

    def call(args):
        steps[0] = 0
        return function(*copy.deepcopy(args))

    return call


def same(a, b):
    """Type-strict equality of JSON values; floats may differ by a relative 1e-9."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


def outcome(call, args):
    """(True, value) of a call, or (False, name of the exception)."""
    try:
        return True, call(args)
    except Exception as error:  # a mutant may fail in any way
        return False, type(error).__name__


def agrees(call, case):
    """Whether a call returns the case's result."""
    ok, value = outcome(call, case["args"])
    return ok and same(value, case["result"])


def _replacements(node):
    """The faulty versions of one node."""
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        for op in _BINARY[type(node.op)]:
            yield ast.BinOp(node.left, op(), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _BINARY:
        for op in _BINARY[type(node.op)]:
            yield ast.AugAssign(node.target, op(), node.value)
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in _COMPARE.get(type(op), []):
                yield ast.Compare(node.left, node.ops[:i] + [other()] + node.ops[i + 1:], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, (int, float)):
            yield ast.Constant(node.value + 1)
            yield ast.Constant(node.value - 1)
        elif isinstance(node.value, str):
            yield ast.Constant(node.value + "x")
            if node.value:
                yield ast.Constant(node.value[1:])
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _CALLS:
        yield ast.Name(_CALLS[node.id], ast.Load())
    elif isinstance(node, ast.Attribute) and node.attr in _CALLS:
        yield ast.Attribute(node.value, _CALLS[node.attr], ast.Load())
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield type(node)(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], 0)


def _sites(tree):
    """Every place of the function body that holds a node: (parent, field, index or None)."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "args") and not isinstance(parent, ast.Call):
                continue
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield parent, field, index
            elif isinstance(value, ast.AST):
                yield parent, field, None


def mutants(source):
    """The sources of all mutants, without repeats, in a fixed order."""
    tree = ast.parse(source)
    found = dict.fromkeys([ast.unparse(tree)])
    for parent, field, index in _sites(tree):
        value = getattr(parent, field)
        node = value if index is None else value[index]
        options = list(_replacements(node))
        if isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.Return)):
            options.append(ast.Pass())
        for option in options:
            if index is None:
                setattr(parent, field, option)
            else:
                value[index] = option
            found.setdefault(ast.unparse(ast.fix_missing_locations(tree)))
            if index is None:
                setattr(parent, field, node)
            else:
                value[index] = node
    return list(found)[1:]
