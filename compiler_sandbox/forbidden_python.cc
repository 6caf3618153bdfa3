#include "compiler_sandbox/forbidden_python.h"

namespace plumb {

// A name is a module ("subprocess": importing or using it), what a module holds ("os.system"), a builtin ("eval"), or a
// method of whatever object (".sort"). Names are followed through imports, plain assignments (run = os.system), getattr
// and dictionaries of modules with a literal. A function of the program's own that is called like a builtin is not it.
const char* const kPythonForbiddenTool = R"PY(
import ast, builtins, json, sys


def literal(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


class Uses(ast.NodeVisitor):
    def __init__(self, tree):
        self.found = set()
        self.names = {}
        for node in ast.walk(tree):  # what is bound anywhere hides a builtin of that name
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.names[node.name] = ""
            elif isinstance(node, ast.arg):
                self.names[node.arg] = ""
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self.names[node.id] = ""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    self.names[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.name == "*":
                        self.take_all(node.module or "")
                    else:
                        self.names[alias.asname or alias.name] = (node.module or "") + "." + alias.name
        for _ in range(3):  # aliases of aliases
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    meant = self.meaning(node.value)
                    if meant and not self.names.get(node.targets[0].id):
                        self.names[node.targets[0].id] = meant

    def take_all(self, module):
        for name in NAMES:
            if name.startswith(module + ".") and "." not in name[len(module) + 1:]:
                self.names[name[len(module) + 1:]] = name

    def meaning(self, node):
        """The full name of what an expression is, or an empty text."""
        if isinstance(node, ast.Name):
            builtin = hasattr(builtins, node.id) or node.id == "__builtins__"
            return self.names.get(node.id, node.id if builtin else "")
        if isinstance(node, ast.Attribute):
            return self.member(self.meaning(node.value), node.attr)
        if isinstance(node, ast.Subscript):  # __builtins__["eval"], vars(os)["system"], os.__dict__["system"]
            name, whole = literal(node.slice), self.meaning(node.value)
            if name and isinstance(node.value, ast.Call):
                called = self.meaning(node.value.func)
                inner = node.value.args[0] if node.value.args else None
                whole = self.meaning(inner) if called == "vars" and inner else "builtins" if called == "globals" else ""
            whole = whole.removesuffix(".__dict__")
            if whole in ("sys.modules",):
                return name or ""
            return self.member(whole, name) if name else ""
        if isinstance(node, ast.Call):
            called = self.meaning(node.func)
            if called in ("__import__", "importlib.import_module") and node.args:
                return literal(node.args[0]) or ""
            if called == "getattr" and len(node.args) > 1 and literal(node.args[1]):
                return self.member(self.meaning(node.args[0]), literal(node.args[1]))
        return ""

    def member(self, whole, name):
        return name if whole in ("builtins", "__builtins__") else whole + "." + name if whole else ""

    def check(self, node, meant):
        for name in NAMES:
            same = meant == name.removeprefix("builtins.") or meant.startswith(name + ".")
            if meant and same and not name.startswith("."):
                self.found.add((node.lineno, node.col_offset + 1, name))

    def visit_Import(self, node):
        for alias in node.names:
            self.check(node, alias.name)

    def visit_ImportFrom(self, node):
        for alias in node.names:
            self.check(node, (node.module or "") + "." + alias.name)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.check(node, self.meaning(node))

    def visit_Attribute(self, node):
        meant = self.meaning(node)
        self.check(node, meant)
        for name in NAMES:
            if name == "." + node.attr:
                self.found.add((node.lineno, node.col_offset + 1, name))
        if not meant:
            self.generic_visit(node)

    def visit_Subscript(self, node):
        self.check(node, self.meaning(node))
        self.generic_visit(node)

    def visit_Call(self, node):
        self.check(node, self.meaning(node))
        self.generic_visit(node)


try:
    tree = ast.parse(sys.stdin.buffer.read())
    uses = Uses(tree)
    uses.visit(tree)
    for line, column, name in sorted(uses.found):
        print(json.dumps({"rule": "forbidden-api", "cwe": 676, "severity": "high", "line": line, "column": column,
                          "message": name}))
except (SyntaxError, ValueError, RecursionError, MemoryError):
    pass
)PY";

}  // namespace plumb
