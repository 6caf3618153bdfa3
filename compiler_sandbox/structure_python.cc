#include "compiler_sandbox/structure_python.h"

namespace plumb {

const char* const kPythonStructureTool = R"PY(
import ast, json, sys

CONTROL = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match) + ((ast.TryStar,) if hasattr(ast, "TryStar") else ())
ONE_MORE = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def measure(function):
    decisions, deepest = 0, 0
    waiting = [(node, 0) for node in function.body]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, FUNCTIONS):
            continue  # counted by itself
        decisions += isinstance(node, ONE_MORE)
        if isinstance(node, ast.BoolOp):
            decisions += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            decisions += 1 + len(node.ifs)
        inner = depth + isinstance(node, CONTROL)
        deepest = max(deepest, inner)
        otherwise = node.orelse if isinstance(node, ast.If) else []
        chain = otherwise if len(otherwise) == 1 and isinstance(otherwise[0], ast.If) else []
        waiting += [(child, depth if child in chain else inner) for child in ast.iter_child_nodes(node)]
    arguments = function.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    return {"name": function.name[:500], "line": function.lineno, "lines": function.end_lineno - function.lineno + 1,
            "parameters": count + bool(arguments.vararg) + bool(arguments.kwarg), "cyclomatic": decisions + 1,
            "nesting": deepest}


def parse(text):
    try:
        return ast.parse(text), 0
    except SyntaxError as error:
        return None, max(1, error.lineno or 1)
    except (ValueError, RecursionError, MemoryError):
        return None, 1


def blocks(lines):
    """Top-level statements as far as indentation tells them apart."""
    block = []
    for line in lines:
        starts = line[:1] not in ("", " ", "\t", "#", ")", "]", "}", "\n") and not line.startswith(
            ("else:", "elif ", "except", "finally:"))
        if starts and block and not block[-1].startswith("@"):
            yield "\n".join(block)
            block = []
        if block or starts:
            block.append(line)
    if block:
        yield "\n".join(block)


sys.setrecursionlimit(3000)  # of the parser; it goes deeper than what Python itself would compile
text = sys.stdin.read()
lines = text.split("\n")
tree, error = parse(text)
parts = [parse(block)[0] for block in blocks(lines)] if tree is None else [ast.Module([node], []) for node in tree.body]
found = []
waiting = [tree] if tree else [part for part in parts if part]
while waiting:
    node = waiting.pop()
    waiting += ast.iter_child_nodes(node)
    if isinstance(node, FUNCTIONS):
        found.append(measure(node))
found.sort(key=lambda one: one["line"])
print(json.dumps({"lines": sum(1 for line in lines if line.strip()), "functions": found[:200], "first_error_line": error,
                  "parsed": 1 if not error else min(error - 1, len(lines)) / len(lines), "declarations": len(parts),
                  "sound_declarations": sum(1 for part in parts if part)}))
)PY";

}  // namespace plumb
