#include "compiler_sandbox/findings_python.h"

namespace plumb {

// Names are followed through imports and their aliases, not through variables: a rule that guesses is worth less than
// one that misses.
const char* const kPythonFindingsTool = R"PY(
import ast, json, re, sys

SECRET = re.compile(r"(^|_)(password|passwd|pwd|secret|token|api_?key|private_?key)(_|$)", re.I)
RANDOM_SECRET = re.compile(r"(^|_)(password|passwd|secret|token|api_?key|nonce|salt|session_?id|otp)(_|$)", re.I)
SHELL = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput"}
SUBPROCESS = {"subprocess." + name for name in ("run", "call", "check_call", "check_output", "Popen")}
LOADS = {module + "." + name for module in ("pickle", "cPickle", "_pickle", "dill", "marshal", "cloudpickle")
         for name in ("load", "loads", "Unpickler")} | {"shelve.open", "jsonpickle.decode", "yaml.unsafe_load",
                                                        "yaml.full_load", "pandas.read_pickle", "joblib.load"}
WEAK_HASHES = {"hashlib.md5", "hashlib.sha1"}
EXECUTES = {"execute", "executemany", "executescript"}


class Reader(ast.NodeVisitor):
    def __init__(self):
        self.names = {"eval": "eval", "exec": "exec", "__import__": "__import__"}
        self.found = []

    def add(self, node, rule, cwe, severity, message):
        self.found.append({"rule": rule, "cwe": cwe, "severity": severity, "line": node.lineno,
                           "column": node.col_offset + 1, "message": message})

    def dotted(self, node):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call):  # __import__("os").system
            inner = self.dotted(node.func)
            if inner in ("__import__", "importlib.import_module") and node.args and isinstance(node.args[0], ast.Constant):
                return ".".join([str(node.args[0].value)] + parts[::-1])
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.names.get(node.id, node.id if parts else "")] + parts[::-1])

    def visit_Import(self, node):
        for alias in node.names:
            self.names[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]

    def visit_ImportFrom(self, node):
        for alias in node.names:
            self.names[alias.asname or alias.name] = (node.module or "") + "." + alias.name

    def visit_FunctionDef(self, node):
        self.names.pop(node.name, None)  # their own function of that name
        self.defaults(node.args)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def defaults(self, args):
        named = args.posonlyargs + args.args
        for arg, value in list(zip(named[len(named) - len(args.defaults):], args.defaults)) + list(
                zip(args.kwonlyargs, args.kw_defaults)):
            self.secret(arg.arg, value, value)

    def secret(self, name, value, node):
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and len(value.value) >= 4 and SECRET.search(name):
            self.add(node, "hard-coded-secret", 798, "high", name + " is written into the program")

    def assigned(self, target, value, node):
        name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
        self.secret(name, value, node)
        if RANDOM_SECRET.search(name) and any(
                isinstance(one, ast.Call) and self.dotted(one.func).startswith("random.") and
                not self.dotted(one.func).startswith("random.SystemRandom") for one in ast.walk(value)):
            self.add(node, "predictable-random", 338, "medium", name + " comes from a predictable generator; use secrets")

    def visit_Assign(self, node):
        for target in node.targets:
            self.assigned(target, node.value, node)
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.assigned(node.target, node.value, node)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node):
        everything = node.type is None or self.dotted(node.type) == "" and isinstance(node.type, ast.Name) and node.type.id in (
            "Exception", "BaseException")
        if everything and all(isinstance(one, ast.Pass) for one in node.body):
            self.add(node, "swallowed-exception", 390, "low", "every exception is dropped here")
        self.generic_visit(node)

    def visit_Call(self, node):
        name = self.dotted(node.func)
        keywords = {one.arg: one.value for one in node.keywords if one.arg}
        is_true = lambda key: isinstance(keywords.get(key), ast.Constant) and keywords[key].value is True
        is_false = lambda key: isinstance(keywords.get(key), ast.Constant) and keywords[key].value is False
        fixed = bool(node.args) and all(isinstance(one, ast.Constant) for one in node.args)
        if name in SHELL and not fixed or name in SUBPROCESS and is_true("shell") and not fixed:
            self.add(node, "shell-command", 78, "high", name + " gives text to a shell")
        if name in ("eval", "exec", "builtins.eval", "builtins.exec") and not fixed:
            self.add(node, "evaluated-text", 95, "high", name + " runs text as code")
        if name in LOADS:
            self.add(node, "unsafe-deserialisation", 502, "high", name + " can run code that is hidden in its input")
        if name == "yaml.load":
            loader = keywords.get("Loader") or (node.args[1] if len(node.args) > 1 else None)
            if loader is None or "Safe" not in ast.dump(loader):
                self.add(node, "unsafe-deserialisation", 502, "high", "yaml.load without a safe loader")
        if isinstance(node.func, ast.Attribute) and node.func.attr in EXECUTES and node.args and self.built(node.args[0]):
            self.add(node, "sql-of-text", 89, "high", "a query is put together from text; pass the values apart")
        if name in WEAK_HASHES and not is_false("usedforsecurity"):
            self.add(node, "weak-hash", 327, "medium", name + " is broken")
        if name == "tempfile.mktemp":
            self.add(node, "insecure-temporary-file", 377, "medium", "another process may take the name; use mkstemp")
        if is_false("verify") and name.split(".")[0] in ("requests", "httpx") or name == "ssl._create_unverified_context":
            self.add(node, "unverified-certificate", 295, "high", "the other side's certificate is not checked")
        for key, value in keywords.items():
            self.secret(key, value, node)
        self.generic_visit(node)

    def built(self, node):
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(one, ast.FormattedValue) for one in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
            return not all(isinstance(one, ast.Constant) for one in (node.left, node.right)) and any(
                isinstance(one, ast.Constant) and isinstance(one.value, str) for one in ast.walk(node))
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


reader = Reader()
try:
    reader.visit(ast.parse(sys.stdin.buffer.read()))
except (SyntaxError, ValueError, RecursionError, MemoryError):
    pass
for one in sorted(reader.found, key=lambda one: (one["line"], one["column"], one["rule"])):
    print(json.dumps(one))
)PY";

}  // namespace plumb
