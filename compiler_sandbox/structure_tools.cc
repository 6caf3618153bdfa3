#include "compiler_sandbox/structure_tools.h"

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
    return {"name": function.name, "line": function.lineno, "lines": function.end_lineno - function.lineno + 1,
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

const char* const kClangStructureTool = R"PY(
import json, sys

sys.path.append("/usr/lib/python3/dist-packages")
try:
    from clang import cindex
    cindex.Config.set_library_file("/usr/lib/llvm-16/lib/libclang.so.1")
    INDEX = cindex.Index.create()
except (ImportError, cindex.LibclangError):
    sys.exit(127)

K = cindex.CursorKind
CONTROL = {K.IF_STMT, K.FOR_STMT, K.CXX_FOR_RANGE_STMT, K.WHILE_STMT, K.DO_STMT, K.SWITCH_STMT, K.CXX_TRY_STMT}
ONE_MORE = {K.IF_STMT, K.FOR_STMT, K.CXX_FOR_RANGE_STMT, K.WHILE_STMT, K.DO_STMT, K.CASE_STMT, K.CXX_CATCH_STMT,
            K.CONDITIONAL_OPERATOR}
FUNCTIONS = {K.FUNCTION_DECL, K.CXX_METHOD, K.CONSTRUCTOR, K.DESTRUCTOR, K.FUNCTION_TEMPLATE, K.CONVERSION_FUNCTION}
SCOPES = {K.NAMESPACE, K.LINKAGE_SPEC, K.UNEXPOSED_DECL}
FILE = "candidate"


def here(cursor):
    return cursor.location.file is not None and cursor.location.file.name == FILE


def is_decision(node, children):
    if node.kind in ONE_MORE:
        return True
    if node.kind != K.BINARY_OPERATOR or len(children) != 2:
        return False
    begin, end = children[0].extent.end.offset, children[1].extent.start.offset
    for token in node.get_tokens():
        if begin <= token.extent.start.offset < end:
            return token.spelling in ("&&", "||", "and", "or")
    return False


def measure(function, body):
    decisions, deepest = 0, 0
    waiting = [(body, 0)]
    while waiting:
        node, depth = waiting.pop()
        if node.kind in FUNCTIONS:
            continue  # of a local class: counted by itself
        children = list(node.get_children())
        decisions += is_decision(node, children)
        inner = depth + (node.kind in CONTROL)
        deepest = max(deepest, inner)
        chained = node.kind == K.IF_STMT and len(children) > 2 and children[-1].kind == K.IF_STMT
        for place, child in enumerate(children):
            waiting.append((child, depth if chained and place == len(children) - 1 else inner))
    start, end = function.extent.start.line, function.extent.end.line
    return {"name": function.spelling, "line": start, "lines": end - start + 1,
            "parameters": sum(1 for child in function.get_children() if child.kind == K.PARM_DECL),
            "cyclomatic": decisions + 1, "nesting": deepest}


def top_level(cursor):
    for child in cursor.get_children():
        if here(child):
            if child.kind in SCOPES:
                yield from top_level(child)
            else:
                yield child


text = sys.stdin.read()
lines = text.split("\n")
unit = INDEX.parse(FILE, ["-x", LANGUAGE, DIALECT, "-ferror-limit=0", "-w"], [(FILE, text)])
errors = sorted(d.location.line for d in unit.diagnostics
                if d.severity >= 3 and d.location.file is not None and d.location.file.name == FILE)
declarations = list(top_level(unit.cursor))
sound = sum(1 for one in declarations
            if not any(one.extent.start.line <= line <= one.extent.end.line for line in errors))
found = []
waiting = declarations[:]
while waiting:
    node = waiting.pop()
    children = list(node.get_children())
    body = children[-1] if children and children[-1].kind == K.COMPOUND_STMT else None
    if node.kind in FUNCTIONS and body is not None:
        found.append(measure(node, body))
    waiting += children
found.sort(key=lambda one: one["line"])
first = errors[0] if errors else 0
print(json.dumps({"lines": sum(1 for line in lines if line.strip()), "functions": found[:200], "first_error_line": first,
                  "parsed": (first - 1) / len(lines) if first else 1, "declarations": len(declarations),
                  "sound_declarations": sound}))
)PY";

}  // namespace plumb
