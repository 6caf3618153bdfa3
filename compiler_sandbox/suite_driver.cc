#include "compiler_sandbox/drivers.h"

namespace plumb {

namespace {

// The task's own tests run here, in a sandbox in which the candidate has never been: its functions are proxies that
// send their arguments to the judge and wait. Whatever comes back is a plain value or a plain exception.
//
// Starting a process costs as much as most suites. Tests that can leave nothing behind in the interpreter (is_plain())
// are therefore followed by the next suite in the same process; after any others it ends.
constexpr const char* kDriver = R"PY(
import builtins, os, sys, _ast


def receive():
    """The answer to a call: its kind and its payload."""
    data, end = b"", None
    while end is None or len(data) < end:
        part = os.read(3, 1 << 20)
        if not part:
            os._exit(3)
        data += part
        if end is None and b"\n" in data:
            start = data.index(b"\n") + 1
            end = start + int(data[2:start])
    return data[:1], data[start:end]


def send(kind, payload=b""):
    data = kind + b" %d\n" % len(payload) + payload
    while data:
        data = data[os.write(3, data):]


class CannotCross(BaseException):
    """A value that no candidate can be given: the fault of the tests."""


class Gone(BaseException):
    """The candidate will answer no more."""


class Lost(BaseException):
    """The candidate ended instead of answering; another run of it answers the next call."""


class CandidateError(Exception):
    """An exception of the candidate that Python itself has not."""


class Unjudged(TypeError):
    """The candidate returned something that is no plain value."""


def emit(value, out):
    if value is None:
        out.append(b"n")
    elif isinstance(value, bool):
        out.append(b"t" if value else b"f")
    elif isinstance(value, int):
        out.append(b"i%s%x;" % (b"-" if value < 0 else b"", abs(value)))
    elif isinstance(value, float):
        out.append(b"d%s;" % float.hex(value).encode())
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        out.append(b"s%d:" % len(data) + data)
    elif isinstance(value, (bytes, bytearray)):
        out.append(b"b%d:" % len(value) + bytes(value))
    elif isinstance(value, (list, tuple, set, frozenset)):
        kind = b"l" if isinstance(value, list) else b"u" if isinstance(value, tuple) else b"e"
        out.append(kind + b"%d:" % len(value))
        for item in value:
            emit(item, out)
    elif isinstance(value, dict):
        out.append(b"m%d:" % len(value))
        for key, item in value.items():
            emit(key, out)
            emit(item, out)
    else:
        raise CannotCross("the tests pass a %s to the candidate; only plain values can go there" % type(value).__name__)
    return out


def parse(data, place):
    kind = data[place:place + 1]
    place += 1
    if kind in b"ntf":
        return {b"n": None, b"t": True, b"f": False}[kind], place
    if kind in b"id":
        end = data.index(b";", place)
        text = data[place:end].decode()
        return (int(text, 16) if kind == b"i" else float.fromhex(text)), end + 1
    end = data.index(b":", place)
    size, place = int(data[place:end]), end + 1
    if kind == b"s":
        return data[place:place + size].decode("utf-8", "surrogatepass"), place + size
    if kind == b"b":
        return data[place:place + size], place + size
    items = []
    for _ in range(2 * size if kind == b"m" else size):
        item, place = parse(data, place)
        items.append(item)
    if kind == b"m":
        return {items[i]: items[i + 1] for i in range(0, len(items), 2)}, place
    return (tuple(items) if kind == b"u" else set(items) if kind == b"e" else items), place


def call(name, arguments, named):
    send(b"C", b"".join(emit(named, emit(arguments, emit(name, [])))))
    kind, payload = receive()
    if kind == b"V":
        return parse(payload, 0)[0]
    if kind == b"D":
        raise Gone
    if kind == b"N":
        raise Lost
    text = payload.decode("utf-8", "replace")
    if kind == b"W":
        raise Unjudged("the candidate returned a value of type " + text)
    type_name, line, words = text.split("\n", 2)
    known = getattr(builtins, type_name, None)
    # What ends a loop in silence would pass whatever the loop was to look at.
    ordinary = isinstance(known, type) and issubclass(known, Exception) and known not in (StopIteration, StopAsyncIteration)
    try:
        error = known(words) if ordinary else CandidateError(type_name + ": " + words)
    except Exception:
        error = CandidateError(type_name + ": " + words)  # a type that wants other arguments
    error.candidate = type_name + "\n" + line + "\n" + words
    raise error


class Proxy:
    def __init__(self, name):
        self.__name__ = name

    def __call__(self, *arguments, **named):
        return call(self.__name__, arguments, named)

    def __repr__(self):
        return "<the candidate's " + self.__name__ + ">"


class Space(dict):
    """The tests' globals: a name that neither they nor Python know is the candidate's."""

    def __missing__(self, name):
        if hasattr(builtins, name) or name.startswith("__"):
            raise KeyError(name)
        return Proxy(name)


class Builtins(dict):
    """Python's names, and after them the candidate's: where a class body looks last."""

    def __missing__(self, name):
        if name.startswith("__"):
            raise KeyError(name)
        return Proxy(name)


class CandidateModule(type(sys)):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Proxy(name)


# What plain code may use. None of it changes an object that outlives the code, draws random numbers or prints.
PLAIN_MODULES = {"bisect", "cmath", "collections", "copy", "functools", "heapq", "itertools", "json", "math", "re", "string",
                 "typing"}
PLAIN_BUILTINS = {"abs", "all", "any", "bin", "bool", "bytes", "callable", "chr", "complex", "dict", "divmod", "enumerate",
                  "filter", "float", "format", "frozenset", "hash", "hex", "int", "isinstance", "iter", "len", "list", "map",
                  "max", "min", "next", "oct", "ord", "pow", "range", "repr", "reversed", "round", "set", "slice", "sorted",
                  "str", "sum", "tuple", "zip", "ArithmeticError", "AssertionError", "AttributeError", "Exception",
                  "IndexError", "KeyError", "LookupError", "NameError", "OverflowError", "RecursionError", "RuntimeError",
                  "StopIteration", "TypeError", "ValueError", "ZeroDivisionError"}
# A generator that is never run to its end would go on when it is collected, in the middle of a later suite.
NOT_PLAIN = (_ast.ClassDef, _ast.AsyncFunctionDef, _ast.Await, _ast.Global, _ast.Yield, _ast.YieldFrom)


def is_module(value):
    return isinstance(value, type(sys))


def is_plain_node(node):
    if isinstance(node, NOT_PLAIN):
        return False
    if isinstance(node, _ast.Name):
        return node.id in PLAIN_BUILTINS or not hasattr(builtins, node.id) and not node.id.startswith("__")
    if isinstance(node, _ast.Attribute):
        hidden = node.attr in sys.modules and node.attr not in PLAIN_MODULES  # typing.sys
        return isinstance(node.ctx, _ast.Load) and not node.attr.startswith("_") and not hidden
    if isinstance(node, _ast.Subscript) and not isinstance(node.ctx, _ast.Load):
        base = node.value
        while isinstance(base, _ast.Subscript):
            base = base.value
        return isinstance(base, _ast.Name)
    if isinstance(node, _ast.Import):
        return all(name.name in PLAIN_MODULES for name in node.names)
    if isinstance(node, _ast.ImportFrom):
        module = sys.modules.get(node.module)
        return node.module in PLAIN_MODULES and not any(is_module(getattr(module, one.name, 0)) for one in node.names)
    return not isinstance(node, _ast.ExceptHandler) or node.type is not None


def is_plain(node):
    """Whether running the code leaves the interpreter as it was. The tests' author is no attacker: it is enough that
    nothing changes by the way."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if not is_plain_node(node):
            return False
        for field in node._fields:
            part = getattr(node, field, None)
            if isinstance(part, list):
                waiting += [one for one in part if isinstance(one, _ast.AST)]
            elif isinstance(part, _ast.AST) and part._fields:
                waiting.append(part)
    return True


def tree_of(source, path):
    return compile(source, path, "exec", 0x400, True)  # a syntax tree


def run(nodes, space):
    exec(compile(_ast.Module(nodes, []), "tests.py", "exec", 0, True), space)


def methods_of(node):
    names = [base.attr if isinstance(base, _ast.Attribute) else getattr(base, "id", "") for base in node.bases]
    if any(name.endswith("TestCase") for name in names):
        for inner in node.body:
            if isinstance(inner, _ast.FunctionDef) and inner.name.startswith("test"):
                yield inner.name


def units(tree):
    """(statements to run first, what is then a test) in order; None for statements that are none."""
    later = []
    for node in tree.body:
        is_call = isinstance(node, _ast.Expr) and isinstance(node.value, _ast.Call)
        if isinstance(node, _ast.Assert) or is_call:
            yield [node], True, None
            continue
        yield [node], False, None
        if isinstance(node, _ast.FunctionDef) and node.name.startswith("test"):
            later.append((node.name, None))
        if isinstance(node, _ast.ClassDef):
            later += [(node.name, name) for name in methods_of(node)]
    for name, method in later:
        yield [], True, (name, method)


def run_named(space, name, method):
    if method is None:
        space[name]()
        return
    case = space[name](method)
    setup = [case.setUp, getattr(case, method), case.tearDown]
    type(case).setUpClass()
    for step in setup:
        step()
    case.doCleanups()
    type(case).tearDownClass()


def line_in_tests(error):
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == "tests.py" else line
        trace = trace.tb_next
    return line


def outcome(action):
    """b"" where it passes; else K (the candidate's exception) or F (a failed test), then words."""
    try:
        action()
        return b""
    except CannotCross as error:
        send(b"U", str(error).encode())
        os._exit(0)
    except Gone:
        raise
    except BaseException as error:
        if hasattr(error, "candidate"):
            return b"K" + error.candidate.encode("utf-8", "replace")
        words = "%s\n%d\n%s" % (type(error).__name__, line_in_tests(error),
                                str(error) if isinstance(error, Unjudged) else "")
        return b"F" + words.encode("utf-8", "replace")


def suite():
    """Runs one. True where the next one can follow."""
    helpers, code, proxied, stop = parse(receive()[1], 0)[0]
    space = Space(__name__="tests", __builtins__=Builtins(vars(builtins)))
    try:
        helper_tree, tree = tree_of(helpers, "helpers.py"), tree_of(code, "tests.py")
        plain = is_plain(helper_tree) and is_plain(tree)
        exec(compile(helper_tree, "helpers.py", "exec", 0, True), space)
        for name in proxied:
            space.pop(name, None)
        plan = list(units(tree))
    except BaseException as error:
        send(b"U", ("the tests cannot be loaded: %s: %s" % (type(error).__name__, error)).encode("utf-8", "replace"))
        return False
    total = sum(is_test for _, is_test, _ in plan)
    if total == 0:  # nothing that is recognised: the whole is one test
        plan, total = [([node for nodes, _, _ in plan for node in nodes], True, None)], 1
    send(b"T", b"%d" % total)
    try:
        for nodes, is_test, named in plan:
            failed = outcome(lambda: run_named(space, *named) if named else run(nodes, space))
            if is_test or failed:
                send(b"R", failed)
            if failed and (stop or not is_test):
                break  # what follows stands on it, or is not asked for
    except Gone:
        pass
    if plain and sum(os.times()[:2]) < MOST_SECONDS:
        send(b"E", b"stays")
        return True
    send(b"E", b"" if os.listdir() == ["tmp"] and not os.listdir("tmp") else b"files")
    return False


MOST_SECONDS = 1  # of computing in one process: what is left of its limit is enough for the next suite
sys.argv = ["tests.py"]
sys.modules["solution"] = sys.modules["candidate"] = CandidateModule("solution")
while suite():
    pass
)PY";

}  // namespace

const std::string& python_suite_driver() {
  static const std::string driver = kDriver;
  return driver;
}

}  // namespace plumb
