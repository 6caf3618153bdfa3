#include "compiler_sandbox/findings_python.h"

namespace plumb {

// The rules about secrets' names are those of clang_reader/secret_names.h.
const char* const kPythonNames = R"PY(
import ast, json, re, sys, threading

PASSWORDS = {"password", "passwd", "pwd", "passphrase", "passcode", "apikey", "secretkey", "privatekey"}
KEYS = {"api", "secret", "private", "access", "encryption", "signing", "session", "master", "aes", "hmac", "crypto",
        "auth", "jwt"}
BUILTINS = {"eval", "exec", "open", "input", "map", "__import__"}
RANDOM_WORDS = {"token", "secret", "nonce", "salt", "otp", "csrf"}


def words_of(name):
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def is_qualified(words, i):
    before = words[i - 1] if i > 0 else ""
    return (words[i] == "key" and before in KEYS or
            words[i] == "token" and before in {"auth", "access", "bearer", "api"} or
            words[i] == "secret" and before in {"client", "app", "shared", "jwt"})


def names_secret(name, text):
    """Whether `text`, under this name, is a secret that is written into the program."""
    words = words_of(name)
    sure = bool(words) and (words[-1] in PASSWORDS or is_qualified(words, len(words) - 1))
    unsure = bool(words) and words[-1] in {"token", "secret", "credential", "credentials"}
    if not (sure or unsure) or len(text) < (4 if sure else 8):
        return False
    if text[:1] in ("<", "$", "{", "%") or re.search(r"[\s:]", text):  # to be filled in; a question to the user
        return False
    if text.lower() in PASSWORDS:  # the name of a field
        return False
    return sure or bool(re.search("[A-Za-z]", text) and re.search("[0-9]", text))


def needs_unpredictable(name):
    words = words_of(name)
    return any(word in PASSWORDS or word in RANDOM_WORDS or is_qualified(words, i) or
               word == "id" and i > 0 and words[i - 1] == "session" for i, word in enumerate(words))


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def in_scope(scope):
    """The nodes of a module or function, without those of the functions in it; in the order of the text."""
    nodes = []
    waiting = list(scope.body) if isinstance(scope.body, list) else [scope.body]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if not isinstance(node, FUNCTIONS):
            waiting += ast.iter_child_nodes(node)
    return sorted((node for node in nodes if hasattr(node, "lineno")), key=lambda node: (node.lineno, node.col_offset))


def bound_once(scope):
    """What names stand for that are bound once, by a plain assignment."""
    values, counts = {}, {}
    for node in in_scope(scope):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            counts[node.id] = counts.get(node.id, 0) + 1
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            counts[node.name] = 2
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
    if isinstance(scope, FUNCTIONS):
        for arg in ast.walk(scope.args):
            if isinstance(arg, ast.arg):
                counts[arg.arg] = 2
    return {name: values.get(name) if count == 1 else None for name, count in counts.items()}


class Names(ast.NodeVisitor):
    """What the names of the program mean, where the visitor is."""

    def __init__(self, tree):
        self.names = {}
        self.scopes = [bound_once(tree)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    self.names[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.names[alias.asname or alias.name] = (node.module or "") + "." + alias.name

    def value(self, node):
        """What a name that is bound once was given; any other node as it is."""
        for _ in range(5):
            if not isinstance(node, ast.Name):
                break
            scope = next((one for one in reversed(self.scopes) if node.id in one), {})
            if scope.get(node.id) is None:
                break
            node = scope[node.id]
        return node

    def dotted(self, node):
        """"os.path.join"; empty: it has no such name."""
        node = self.value(node)
        if isinstance(node, ast.Name):
            if any(node.id in scope for scope in self.scopes):
                return ""  # their own
            return self.names.get(node.id, node.id if node.id in BUILTINS else "")
        if isinstance(node, ast.Attribute):
            return self.member(self.dotted(node.value), node.attr)
        if isinstance(node, ast.Call):
            called = self.dotted(node.func)
            first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if called in ("__import__", "importlib.import_module"):
                return str(first or "")
            if (isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1 and
                    isinstance(node.args[1], ast.Constant)):
                return self.member(self.dotted(node.args[0]), str(node.args[1].value))
        return ""

    def member(self, whole, name):
        return name if whole == "builtins" else whole + "." + name if whole else ""

    def constant(self, node):
        node = self.value(node)
        if isinstance(node, ast.BinOp):
            return self.constant(node.left) and self.constant(node.right)
        if isinstance(node, ast.JoinedStr):
            return all(isinstance(one, ast.Constant) for one in node.values)
        return isinstance(node, ast.Constant)

    def beginning(self, node):
        """The literal text that a text begins with."""
        node = self.value(node)
        if isinstance(node, ast.JoinedStr):
            node = node.values[0] if node.values else node
        while isinstance(node, ast.BinOp):
            node = self.value(node.left)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            node = self.value(node.func.value)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""

    def built(self, node):
        """Whether a text is put together from what is not written in the program."""
        node = self.value(node)
        if isinstance(node, ast.JoinedStr):
            return not self.constant(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod, ast.Div)):
            return not self.constant(node)
        if not isinstance(node, ast.Call):
            return False
        return isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join", "joinpath") and any(
            not self.constant(one) for one in node.args)
)PY";

}  // namespace plumb
