#include "compiler_sandbox/forbidden_python.h"

#include <nlohmann/json.hpp>

namespace plumb {
namespace {

// A name is a module ("subprocess": importing or using it), what a module holds ("os.system"), a builtin ("eval"), or a
// method of whatever object (".sort"). Names are followed through imports, assignments (run = os.system), modules in
// modules (shutil.os), and where a literal text names a member: getattr, dictionaries of modules, operator. A name that
// is the program's own where it is used is no builtin.
const char* const kUses = R"PY(
MOST, MOST_TEXT = 100, 500
HOLDS = ("get", "pop", "setdefault", "__getitem__")


def literal(node):
    parts = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts.append(node.right)
        node = node.left
    parts.append(node)
    if not all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in parts):
        return ""
    return "".join(one.value for one in reversed(parts))


def argument(call, i, keyword):
    named = [one.value for one in call.keywords if one.arg == keyword]
    return call.args[i] if len(call.args) > i else named[0] if named else None


class Uses:
    def __init__(self, tree):
        self.scopes = Scopes(tree)
        self.found = set()
        self.meanings = {}
        changed, rounds = True, 0
        while changed and rounds < 4:  # aliases of aliases
            changed, rounds = False, rounds + 1
            for node, scope in reversed(self.scopes.places):  # inner ones first: what a node means builds on them
                self.meanings[id(node)] = self.meaning(node, scope)
            for node, scope in self.scopes.places:
                for target, value, where in self.assigned(node, scope):
                    for one in set(self.of(value)):
                        changed |= self.scopes.add(target, where, one, None)
        for node, scope in self.scopes.places:
            self.check(node, scope)

    def of(self, node):
        return self.meanings.get(id(node), ()) if node is not None else ()

    def assigned(self, node, scope):
        """Names, what they are given, and the scope."""
        if isinstance(node, FUNCTIONS):
            named, inner = node.args.posonlyargs + node.args.args, self.scopes.inner[id(node)]
            pairs = list(zip(named[len(named) - len(node.args.defaults):], node.args.defaults))
            return [(one.arg, value, inner) for one, value in pairs + list(
                zip(node.args.kwonlyargs, node.args.kw_defaults))]
        if isinstance(node, ast.NamedExpr):
            return [(node.target.id, node.value, self.scopes.around(scope))]
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(
            node, ast.AnnAssign) else []
        pairs = []
        for target in targets:
            if isinstance(target, ast.Name):
                pairs.append((target.id, node.value, scope))
            elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(node.value, (ast.Tuple, ast.List)):
                pairs += [(one.id, value, scope) for one, value in zip(target.elts, node.value.elts)
                          if isinstance(one, ast.Name)]
        return pairs

    def meaning(self, node, scope):
        """The full names of what an expression may be."""
        if isinstance(node, ast.Name):
            return self.name(node, scope)
        if isinstance(node, ast.NamedExpr):
            return self.of(node.value)
        if isinstance(node, ast.Attribute):
            return self.members(self.of(node.value), node.attr)
        if isinstance(node, ast.Subscript):
            return self.members(self.holder(node.value), literal(node.slice))
        if isinstance(node, ast.Call):
            return self.called(node)
        return ()

    def name(self, node, scope):
        builtin = {"builtins" if node.id == "__builtins__" else node.id} if (
            hasattr(builtins, node.id) or node.id == "__builtins__") else set()
        found = self.scopes.find(node.id, scope)
        if found is None:
            return builtin
        meant = found.bound[node.id]
        if found.kind not in ("module", "class") or not builtin:
            return meant
        since = found.since.get(node.id)
        early = since and found is scope and (node.lineno, node.col_offset) < since
        return meant | builtin if early or node.id in found.deleted else meant

    def perhaps(self, node, scope):
        """A builtin that is called, of whose name it is not sure that the program has a value of its own."""
        found = self.scopes.find(node.id, scope)
        unsure = found is not None and found.kind in ("module", "class") and node.id not in found.since
        return {node.id} if unsure and hasattr(builtins, node.id) else ()

    def called(self, call):
        functions = self.of(call.func)
        found = set()
        if {"__import__", "importlib.import_module", "importlib.__import__"} & set(functions):
            name = literal(argument(call, 0, "name"))
            first = name.split(".")[0] if "importlib.import_module" not in functions else name
            found |= {first} if name else set()
        for whole, name in self.looked_up(call):
            found |= self.members(whole, name)
        return found

    def looked_up(self, call):
        """What a call takes by a literal name, and out of what: getattr(os, "system")."""
        functions, func = self.of(call.func), call.func
        texts = [literal(one) for one in call.args if literal(one)]
        if "getattr" in functions and len(call.args) > 1:
            yield self.of(call.args[0]), literal(call.args[1])
        if isinstance(func, ast.Attribute) and func.attr in ("__getattribute__", "__getattr__") and texts:
            yield self.of(func.value if len(call.args) < 2 else call.args[0]), texts[0]
        if isinstance(func, ast.Attribute) and func.attr in HOLDS and call.args:
            yield self.holder(func.value), literal(call.args[0])
        if isinstance(func, ast.Call) and set(self.of(func.func)) & {"operator.attrgetter", "operator.methodcaller"}:
            if call.args and func.args:
                yield self.of(call.args[0]), literal(func.args[0])

    def holder(self, node):
        """What a dictionary has the names of: os.__dict__, vars(os), sys.modules, globals()."""
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return self.of(node.value)
        if "sys.modules" in self.of(node):
            return {"sys.modules"}
        if isinstance(node, ast.Call):
            functions = self.of(node.func)
            if "vars" in functions and node.args:
                return self.of(node.args[0])
            return {"globals"} if {"globals", "locals", "vars"} & set(functions) else ()
        return {"builtins"} & set(self.of(node))

    def members(self, wholes, name):
        if name == "__builtins__":
            return {"builtins"}
        found = set()
        for whole in wholes if name else ():
            if whole == "globals":
                found |= self.scopes.module.bound.get(name, set())
            else:
                found.add(name if whole in ("builtins", "sys.modules") else (whole + "." + name)[:MOST_TEXT])
        return found

    def check(self, node, scope):
        if isinstance(node, ast.Import):
            self.report(node, [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom):
            self.report(node, [(node.module or "") + "." + alias.name for alias in node.names])
        elif not (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)):
            self.report(node, self.of(node))
        if isinstance(node, ast.Attribute):
            self.report_member(node, node.attr)
        elif isinstance(node, ast.Subscript) and self.is_of_names(node.value):
            self.report_member(node, literal(node.slice))
        elif isinstance(node, ast.Call):
            self.check_call(node, scope)

    def is_of_names(self, node):
        return isinstance(node, ast.Attribute) and node.attr == "__dict__" or (
            isinstance(node, ast.Call) and "vars" in self.of(node.func))

    def check_call(self, node, scope):
        if isinstance(node.func, ast.Name):
            self.report(node, self.perhaps(node.func, scope))
        functions = set(self.of(node.func))
        if functions & {"operator.attrgetter", "operator.methodcaller"}:
            for one in node.args:
                for part in literal(one).split("."):
                    self.report_member(node, part)
        by_name = isinstance(node.func, ast.Attribute) and (
            node.func.attr in ("__getattribute__", "__getattr__") or
            node.func.attr in HOLDS and self.is_of_names(node.func.value))
        if "getattr" in functions or by_name:
            for one in node.args:
                self.report_member(node, literal(one))

    def report(self, node, meanings):
        for meaning in meanings:
            for name in forbidden(meaning):
                self.found.add((node.lineno, node.col_offset + 1, name))

    def report_member(self, node, attribute):
        if attribute and "." + attribute in NAMES:
            self.found.add((node.lineno, node.col_offset + 1, "." + attribute))


def say(rule, line, column, message):
    print(json.dumps({"rule": rule, "cwe": CWES[rule], "severity": "high", "line": line, "column": column,
                      "message": message}))


CWES = {"forbidden-api": 676, "unreadable": 1120}
sys.setrecursionlimit(3000)  # of the parser; it goes deeper than what Python itself would compile
try:
    tree = ast.parse(sys.stdin.buffer.read())
except (SyntaxError, ValueError):
    sys.exit()  # Python does not compile it either
except (RecursionError, MemoryError) as error:
    say("unreadable", 1, 1, "the text could not be read for forbidden names (" + type(error).__name__ +
        "), so it does not count as free of them")
    sys.exit()
found = sorted(Uses(tree).found)
firsts = {name: (line, column, name) for line, column, name in reversed(found)}  # of these none is left out
for line, column, name in sorted(set(list(firsts.values()) + found[:MOST])):
    say("forbidden-api", line, column, name)
)PY";

}  // namespace

std::string python_forbidden_tool(const std::vector<std::string>& names) {
  // JSON's lists of texts are Python's.
  return "NAMES = " + nlohmann::json(names).dump() + "\n" + kPythonScopes + kUses;
}

}  // namespace plumb
