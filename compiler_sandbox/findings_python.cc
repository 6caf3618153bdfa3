#include "compiler_sandbox/findings_python.h"

namespace plumb {
namespace {

const char* const kRules = R"PY(
SHELL = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput",
         "asyncio.create_subprocess_shell"}
SUBPROCESS = {"subprocess." + name for name in ("run", "call", "check_call", "check_output", "Popen")}
LOADS = {module + "." + name for module in ("pickle", "cPickle", "_pickle", "dill", "marshal", "cloudpickle")
         for name in ("load", "loads", "Unpickler")} | {"shelve.open", "jsonpickle.decode", "yaml.unsafe_load",
                                                        "yaml.full_load", "pandas.read_pickle", "joblib.load"}
WEAK = {"hashlib.md5", "hashlib.sha1"} | {
    library + ".Cipher." + name + ".new" for library in ("Crypto", "Cryptodome")
    for name in ("DES", "DES3", "ARC2", "ARC4")} | {
    "cryptography.hazmat.primitives." + name for name in ("hashes.MD5", "hashes.SHA1", "ciphers.algorithms.TripleDES",
                                                         "ciphers.algorithms.ARC4", "ciphers.modes.ECB")}
EXECUTES = {"execute", "executemany", "executescript"}
SQL = re.compile(r"\s*(select|insert|update|delete|create|drop|alter|replace|with|pragma|merge|truncate)\b", re.I)
CHECKS = {"os.access", "os.stat", "os.lstat"} | {"os.path." + name for name in (
    "exists", "lexists", "isfile", "isdir", "islink", "getsize", "getmtime")}
USES = {"open", "io.open", "os.open", "os.remove", "os.unlink", "os.rename", "os.replace", "os.rmdir", "os.chmod",
        "os.chown", "os.truncate", "shutil.rmtree", "shutil.move", "shutil.copy", "shutil.copyfile"}
PATH_CHECKS = {"exists", "is_file", "is_dir", "is_symlink"}
PATH_USES = {"open", "unlink", "read_text", "read_bytes", "write_text", "write_bytes", "rename", "replace", "rmdir",
             "chmod"}
OPENS = USES | {"flask.send_file", "os.listdir", "pathlib.Path"}
REQUEST = {"args", "form", "files", "values", "GET", "POST", "query_params", "json"}
HARMLESS = {"int", "float", "len", "bool", "hash", "ord", "os.path.basename", "werkzeug.utils.secure_filename"}


class Reader(Names):
    def __init__(self, tree, found):
        super().__init__(tree)
        self.found = found
        self.check_then_use(tree)

    def add(self, node, rule, cwe, severity, message):
        self.found.append({"rule": rule, "cwe": cwe, "severity": severity, "line": node.lineno,
                           "column": node.col_offset + 1, "message": message})

    def visit_FunctionDef(self, node):
        self.defaults(node.args)
        self.scopes.append(bound_once(node))
        self.check_then_use(node)
        if needs_unpredictable(node.name):
            for one in in_scope(node):
                if self.predictable(one):
                    self.add(one, "predictable-random", 338, "medium",
                             node.name + " uses a predictable generator; use secrets")
                    break
        self.generic_visit(node)
        self.scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def defaults(self, args):
        named = args.posonlyargs + args.args
        for arg, value in list(zip(named[len(named) - len(args.defaults):], args.defaults)) + list(
                zip(args.kwonlyargs, args.kw_defaults)):
            self.secret(arg.arg, value, value)

    def secret(self, name, value, node):
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and names_secret(name, value.value):
            self.add(node, "hard-coded-secret", 798, "high", name + " is written into the program")

    def predictable(self, node):
        name = self.dotted(node.func) if isinstance(node, ast.Call) else ""
        return name.startswith(("random.", "numpy.random.")) and not name.startswith("random.SystemRandom")

    def name_of(self, node):
        if isinstance(node, ast.Subscript):
            key = node.slice
            return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""

    def assigned(self, target, value, node):
        name = self.name_of(target)
        self.secret(name, value, node)
        if needs_unpredictable(name) and any(self.predictable(one) for one in ast.walk(value)):
            self.add(node, "predictable-random", 338, "medium",
                     name + " comes from a predictable generator; use secrets")

    def visit_Assign(self, node):
        for target in node.targets:
            self.assigned(target, node.value, node)
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.assigned(node.target, node.value, node)
        self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            for one, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
                self.secret(self.name_of(one), other, node)
        self.generic_visit(node)

    def visit_Dict(self, node):
        for key, value in zip(node.keys, node.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.secret(key.value, value, value)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node):
        everything = node.type is None or isinstance(node.type, ast.Name) and node.type.id in (
            "Exception", "BaseException")
        if everything and all(isinstance(one, ast.Pass) for one in node.body):
            self.add(node, "swallowed-exception", 390, "low", "every exception is dropped here")
        self.generic_visit(node)

    def visit_Call(self, node):
        name = self.dotted(node.func)
        keywords = {one.arg: one.value for one in node.keywords if one.arg}
        fixed = bool(node.args) and all(self.constant(one) for one in node.args)
        self.runs_text(node, name, keywords, fixed)
        self.reads_data(node, name, keywords)
        self.hashes(node, name, keywords)
        self.opens(node, name, keywords)
        if is_false(keywords.get("verify")) and name.split(".")[0] in ("requests", "httpx") or (
                name == "ssl._create_unverified_context"):
            self.add(node, "unverified-certificate", 295, "high", "the other side's certificate is not checked")
        for key, value in keywords.items():
            self.secret(key, value, node)
        self.generic_visit(node)

    def runs_text(self, node, name, keywords, fixed):
        if name in SHELL and not fixed or name in SUBPROCESS and is_true(keywords.get("shell")) and not fixed:
            self.add(node, "shell-command", 78, "high", name + " gives text to a shell")
        if name in ("eval", "exec") and not fixed:
            self.add(node, "evaluated-text", 95, "high", name + " runs text as code")
        for one in node.args:  # map(eval, ...)
            if self.dotted(one) in ("eval", "exec"):
                self.add(node, "evaluated-text", 95, "high", "what is read here is run as code")
        if (isinstance(node.func, ast.Attribute) and node.func.attr in EXECUTES and node.args and
                self.built(node.args[0]) and SQL.match(self.beginning(node.args[0]))):
            self.add(node, "sql-of-text", 89, "high", "a query is put together from text; pass the values apart")

    def reads_data(self, node, name, keywords):
        if name in LOADS:
            self.add(node, "unsafe-deserialisation", 502, "high", name + " can run code that is hidden in its input")
        if name == "yaml.load":
            loader = keywords.get("Loader") or (node.args[1] if len(node.args) > 1 else None)
            if loader is None or "Safe" not in ast.dump(loader):
                self.add(node, "unsafe-deserialisation", 502, "high", "yaml.load without a safe loader")
        if (isinstance(node.func, ast.Attribute) and node.func.attr == "extractall" and
                "tarfile" in self.names.values() and "filter" not in keywords and "members" not in keywords):
            self.add(node, "path-of-archive", 22, "medium",
                     "an archive's names may lead out of the folder; pass filter='data'")

    def hashes(self, node, name, keywords):
        chosen = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        weak = name in WEAK or name == "hashlib.new" and str(chosen).lower() in ("md5", "sha1", "md4")
        ecb = name in ("Crypto.Cipher.AES.new", "Cryptodome.Cipher.AES.new") and any(
            self.dotted(one).endswith(".MODE_ECB") for one in node.args)
        if weak and not is_false(keywords.get("usedforsecurity")) or ecb:
            self.add(node, "weak-cryptography", 327, "medium", name + (" in ECB mode" if ecb else "") + " is broken")

    def opens(self, node, name, keywords):
        if name in ("tempfile.mktemp", "os.tempnam", "os.tmpnam"):
            self.add(node, "insecure-temporary-file", 377, "medium", "another process may take the name; use mkstemp")
        if name not in OPENS or not node.args:
            return
        mode = open_mode(node)
        if name in ("open", "io.open") and ("w" in mode or "a" in mode) and self.beginning(node.args[0]).startswith(
                ("/tmp/", "/var/tmp/")):
            self.add(node, "insecure-temporary-file", 377, "medium", "others may have put a link there; use tempfile")
        path = self.value(node.args[0])
        joined = isinstance(path, ast.Call) and self.dotted(path.func) == "os.path.join"
        if (self.built(path) or joined) and self.untrusted(path):
            self.add(node, "path-of-input", 22, "medium", "what was read may lead out of the folder, by ..")

    def untrusted(self, node, depth=0):
        """Whether what a user or client sends is in the text, as it came."""
        node = self.value(node)
        if depth > 20:
            return False
        if isinstance(node, ast.Call):
            name = self.dotted(node.func)
            if name in HARMLESS or isinstance(node.func, ast.Name) and node.func.id in HARMLESS:
                return False
            if name == "input" or name.startswith("sys.stdin."):
                return True
        if isinstance(node, ast.Attribute):
            if self.dotted(node) == "sys.argv":
                return True
            whole = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            if whole == "request" and node.attr in REQUEST:
                return True
        return any(self.untrusted(one, depth + 1) for one in ast.iter_child_nodes(node))

    def check_then_use(self, scope):
        checked = set()
        for node in in_scope(scope):
            if not isinstance(node, ast.Call):
                continue
            name = self.dotted(node.func)
            method = node.func.attr if isinstance(node.func, ast.Attribute) and not name else ""
            path = ast.dump(node.args[0]) if node.args and not method else ast.dump(node.func.value) if method else ""
            if name in CHECKS or method in PATH_CHECKS and not node.args:
                checked.add(path)
            elif path in checked and (name in USES or method in PATH_USES) and "x" not in open_mode(node):
                opens = name in ("open", "io.open")
                reads = opens and not set(open_mode(node)) & set("wa+") or method.startswith("read_")
                self.add(node, "check-then-use", 367, "low" if reads else "medium",
                         "this may be another file than the one that was checked")


def open_mode(node):
    named = next((one.value for one in node.keywords if one.arg == "mode"), None)
    given = node.args[1] if len(node.args) > 1 else named
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""


def is_true(node):
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node):
    return isinstance(node, ast.Constant) and node.value is False


MOST_OF_A_RULE = 100


def read(text):
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        tree = None  # Python does not compile it either
    except (RecursionError, MemoryError) as error:
        tree = None
        found.append({"rule": "unreadable", "cwe": 1120, "severity": "high", "line": 1, "column": 1,
                      "message": "the text could not be read (" + type(error).__name__ +
                                 "), so it does not count as free of findings"})
    if tree:
        Reader(tree, found).visit(tree)
    ended.append(True)


found, ended, counts = [], [], {}
sys.setrecursionlimit(30000)  # the reader goes as deep as the text; deeper than what Python itself would compile
threading.stack_size(256 << 20)
thread = threading.Thread(target=read, args=(sys.stdin.buffer.read(),))
thread.start()
thread.join()
if not ended:
    sys.exit("the rules broke")  # the thread said how
for one in sorted(found, key=lambda one: (one["line"], one["column"], one["rule"])):
    counts[one["rule"]] = counts.get(one["rule"], 0) + 1
    if counts[one["rule"]] <= MOST_OF_A_RULE:
        print(json.dumps(one))
)PY";

}  // namespace

std::string python_findings_tool() {
  return std::string(kPythonNames) + kRules;
}

}  // namespace plumb
