#include "compiler_sandbox/forbidden_python.h"

namespace plumb {

// What full names are the same thing, and Python's own rules of scopes (the language reference, "Naming and binding").
const char* const kPythonScopes = R"PY(
import ast, builtins, functools, importlib, json, sys, types

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
BINDING = (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
SAME = {"posix": "os", "nt": "os", "posixpath": "os.path", "genericpath": "os.path", "io.open": "open"}
FIRSTS = {name.split(".")[0] for name in NAMES}


def module_at(parts):
    """The name of the standard library's module that a path leads to ("shutil.os": "os"); empty: to none."""
    try:
        found = importlib.import_module(parts[0])
        for part in parts[1:]:
            found = getattr(found, part)
    except Exception:
        return ""
    return found.__name__ if isinstance(found, types.ModuleType) else ""


@functools.lru_cache(maxsize=10000)
def variants(meaning):
    """Other names of the same thing: without "builtins.", by the module that defines it, by a module in a module."""
    found = [meaning.removeprefix("builtins.")]
    parts = meaning.split(".")
    if parts[0] in sys.stdlib_module_names:
        for i in range(1, min(len(parts), 8)):
            if parts[i] in FIRSTS and module_at(parts[:i + 1]):
                found.append(".".join([module_at(parts[:i + 1])] + parts[i + 1:]))
    for one in list(found):
        first, dot, rest = one.partition(".")
        if first[:1] == "_" and first[1:] in sys.stdlib_module_names:
            found.append(first[1:] + dot + rest)
    for one in list(found):
        for before, after in SAME.items():
            if one == before or one.startswith(before + "."):
                found.append(after + one[len(before):])
    return found


@functools.lru_cache(maxsize=10000)
def forbidden(meaning):
    """The names of NAMES that a full name is one of, or is in."""
    whole = [meaning] + variants(meaning)
    return [name for name in NAMES if not name.startswith(".") and any(
        one == name.removeprefix("builtins.") or (one + ".").startswith(name + ".") for one in whole)]


class Scope:
    def __init__(self, kind, parent):
        self.kind = kind  # "module", "class", "function", "comprehension"
        self.parent = parent
        self.bound = {}  # a name: what it may stand for; an empty set: values of the program's own alone
        self.since = {}  # a name that a statement directly in a module or class binds: where the first of them ends
        self.deleted, self.globals, self.nonlocals = set(), set(), set()


def parameters(arguments):
    several = [one for one in (arguments.vararg, arguments.kwarg) if one]
    return arguments.posonlyargs + arguments.args + arguments.kwonlyargs + several


class Scopes:
    """The nodes of a program, outer ones first, each with its scope. Nothing here recurses: texts may be deep."""

    def __init__(self, tree):
        self.module = Scope("module", None)
        self.places = []
        self.inner = {}  # of a function
        statements = {}  # of a node that a statement surely binds
        waiting = [(tree, self.module, None)]
        while waiting:
            node, scope, statement = waiting.pop()
            self.places.append((node, scope))
            statements[id(node)] = statement
            waiting += self.below(node, scope, statement)
        for node, scope in self.places:
            if isinstance(node, ast.Global):
                scope.globals.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                scope.nonlocals.update(node.names)
        for node, scope in self.places:
            self.bind(node, scope, statements[id(node)])

    def below(self, node, scope, statement):
        if isinstance(node, FUNCTIONS):
            inner = self.inner[id(node)] = Scope("function", scope)
            names = parameters(node.args)
            outside = getattr(node, "decorator_list", []) + node.args.defaults + node.args.kw_defaults
            outside += [one.annotation for one in names] + [getattr(node, "returns", None)]
            inside = names + (node.body if isinstance(node.body, list) else [node.body])
            return [(one, scope, None) for one in outside if one] + [(one, inner, None) for one in inside]
        if isinstance(node, ast.arg):
            return []
        if isinstance(node, (ast.Module, ast.ClassDef)):
            inner = Scope("class", scope) if isinstance(node, ast.ClassDef) else scope
            body = [(one, inner, one if self.binds(one) else None) for one in node.body]
            within = set(map(id, node.body))
            return body + [(one, scope, None) for one in ast.iter_child_nodes(node) if id(one) not in within]
        if isinstance(node, COMPREHENSIONS):
            inner, first = Scope("comprehension", scope), node.generators[0]
            inside = [one for one in ast.iter_child_nodes(node) if one is not first] + [first.target] + first.ifs
            return [(one, inner, None) for one in inside] + [(first.iter, scope, None)]
        if isinstance(node, ast.NamedExpr):
            return [(node.target, self.around(scope), None), (node.value, scope, None)]
        binds = isinstance(node, (ast.Assign, ast.AnnAssign, ast.Tuple, ast.List, ast.Starred))
        value = getattr(node, "value", None) if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        return [(one, scope, statement if binds and one is not value else None) for one in ast.iter_child_nodes(node)]

    def binds(self, statement):
        return isinstance(statement, BINDING) and (not isinstance(statement, ast.AnnAssign) or bool(statement.value))

    def around(self, scope):
        while scope.kind == "comprehension":
            scope = scope.parent
        return scope

    def bind(self, node, scope, statement):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                self.add(node.id, scope, "", statement)
            elif isinstance(node.ctx, ast.Del):
                self.owner(node.id, scope).deleted.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.add(node.name, scope, "", statement)
        elif isinstance(node, ast.arg):
            self.add(node.arg, scope, "", None)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            self.add(node.name, scope, "", None)
        elif isinstance(node, ast.MatchMapping):
            self.add(node.rest, scope, "", None)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                self.add(alias.asname or first, scope, alias.name if alias.asname else first, statement)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    self.add_all(node.module or "", scope)
                else:
                    self.add(alias.asname or alias.name, scope, (node.module or "") + "." + alias.name, statement)

    def add_all(self, module, scope):
        for name in NAMES:
            whole, _, simple = name.rpartition(".")
            if whole and whole in variants(module):
                self.add(simple, scope, name, None)

    def owner(self, name, scope):
        """The scope that a name is bound in where `scope` binds it."""
        if name in scope.globals:
            return self.module
        while name in scope.nonlocals and scope.parent:
            scope = scope.parent
        return scope

    def add(self, name, scope, meaning, statement):
        """Whether that says something new of the name."""
        if not name:
            return False
        owner = self.owner(name, scope)
        meanings = owner.bound.setdefault(name, set())
        new = bool(meaning) and meaning not in meanings and len(meanings) < 20
        meanings.update({meaning} if new else ())
        if statement is not None and owner is scope:
            end = statement.end_lineno, statement.end_col_offset
            owner.since[name] = min(owner.since.get(name, end), end)
        return new

    def find(self, name, scope):
        """The scope whose `name` a use in `scope` means; None: a builtin, if any."""
        start = scope
        while scope:
            if name in scope.globals:
                return self.module if name in self.module.bound else None
            if name in scope.bound and (scope is start or scope.kind != "class"):
                return scope
            scope = scope.parent
        return None
)PY";

}  // namespace plumb
