#include "compiler_sandbox/drivers.h"

namespace plumb {

namespace {

// Whatever the candidate may replace later (builtins, os, sys) is taken into local names first; serialising looks at
// exact types only and never calls a method of the candidate's objects, except str() of an exception that it raised.
constexpr const char* kDriver = R"PY(
def _main():
    import os, sys
    read, write, type_, int_, float_, bool_, str_, list_, tuple_, len_, range_ = (
        os.read, os.write, type, int, float, bool, str, list, tuple, len, range)
    bytes_, hex_, none, exc, callable_, float_hex, fromhex = bytes, hex, type(None), BaseException, callable, float.hex, float.fromhex
    set_, frozenset_, dict_, pairs_of = set, frozenset, dict, dict.items
    encode, decode, join, memory, value_error = str.encode, bytes.decode, b"".join, memoryview, ValueError
    find, index, exit, get = bytes.find, bytes.index, os._exit, getattr

    def receive_part():
        part = read(3, 65536)
        if not part:
            exit(3)
        return part

    def receive_call():
        data = b""  # one call at a time: nothing comes before it is answered
        while find(data, b"\n") < 0:
            data += receive_part()
        start = index(data, b"\n") + 1
        end = start + int_(data[17:start])
        parts, size = [data], len_(data)
        while size < end:
            parts += [receive_part()]
            size += len_(parts[-1])
        data = join(parts)
        return data[:16], data[start:end]

    def send(nonce, kind, payload):
        data = nonce + kind + b" " + encode(str_(len_(payload))) + b"\n" + payload
        view = memory(data)
        while len_(view):
            view = view[write(3, view):]

    def parse(data, place):
        kind = data[place:place + 1]
        place += 1
        if kind == b"n":
            return None, place
        if kind == b"t":
            return True, place
        if kind == b"f":
            return False, place
        if kind == b"i" or kind == b"d":
            end = index(data, b";", place)
            text = decode(data[place:end])
            return (int_(text, 16) if kind == b"i" else fromhex(text)), end + 1
        end = index(data, b":", place)
        size = int_(data[place:end])
        place = end + 1
        if kind == b"s":
            return decode(data[place:place + size], "utf-8"), place + size
        if kind == b"b":
            return data[place:place + size], place + size
        items = []
        for _ in range_(2 * size if kind == b"m" else size):
            item, place = parse(data, place)
            items += [item]
        if kind == b"u":
            return tuple_(items), place
        if kind == b"e":
            return set_(items), place
        if kind == b"m":
            return {items[i]: items[i + 1] for i in range_(0, 2 * size, 2)}, place
        return items, place

    class Unjudged(Exception):
        pass

    def emit(value, out, depth):
        kind = type_(value)
        if kind is bool_:
            out += [b"t" if value else b"f"]
        elif kind is int_:
            text = hex_(value)
            out += [encode("i-" + text[3:] + ";" if value < 0 else "i" + text[2:] + ";")]
        elif kind is float_:
            out += [encode("d" + float_hex(value) + ";")]
        elif kind is str_:
            data = encode(value, "utf-8", "surrogatepass")
            out += [encode("s%d:" % len_(data)), data]
        elif kind is none:
            out += [b"n"]
        elif kind is bytes_:
            out += [encode("b%d:" % len_(value)), value]
        elif (kind is list_ or kind is tuple_ or kind is set_ or kind is frozenset_) and depth < 60:
            out += [encode(("l%d:" if kind is list_ else "u%d:" if kind is tuple_ else "e%d:") % len_(value))]
            for item in value:
                emit(item, out, depth + 1)
        elif kind is dict_ and depth < 60:
            out += [encode("m%d:" % len_(value))]
            for key, item in pairs_of(value):
                emit(key, out, depth + 1)
                emit(item, out, depth + 1)
        else:
            raise Unjudged(kind)

    def describe(error):
        name = type_.__dict__["__name__"].__get__(type_(error))
        line, trace = 0, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "solution.py":
                line = trace.tb_lineno
            trace = trace.tb_next
        if type_(error) in (SyntaxError, IndentationError, TabError):
            line = error.lineno or 0
            text = error.msg
        else:
            try:
                text = str_(error)
            except exc:
                text = "<no text>"
        if type_(text) is not str_:
            text = "<no text>"
        return encode("%s\n%d\n%s" % (name[:200], line, text[:2000]), "utf-8", "backslashreplace")

    def function_named(name):
        function = module.__dict__.get(name)
        if not callable_(function) and "Solution" in module.__dict__:
            function = get(module.__dict__["Solution"](), name, None)  # a method, as some sites ask for
        if not callable_(function):
            raise NameError("the function " + name + " is not defined")
        return function

    name, count = sys.argv[1], int_(sys.argv[2])
    any_function = name == "*"
    sys.argv = ["solution.py"]
    sys.set_int_max_str_digits(0)
    load_error = None
    function = None
    try:
        module = type_(sys)("solution")
        module.__file__ = "solution.py"
        sys.modules["solution"] = module
        with open("solution.py", "rb") as file:
            source = file.read()
        exec(compile(source, "solution.py", "exec", 0, True), module.__dict__)
        function = None if any_function else function_named(name)
    except exc as error:
        load_error = describe(error)

    while True:
        nonce, data = receive_call()
        if load_error is not None:
            send(nonce, b"L", load_error)
            continue
        place, arguments, named = 0, [], {}
        for _ in range_(3 if any_function else count):
            item, place = parse(data, place)
            arguments += [item]
        try:
            if any_function:
                name, arguments, named = arguments
                function = function_named(name)
            result = function(*arguments, **named)
            out = []
            emit(result, out, 0)
        except Unjudged as error:
            send(nonce, b"W", encode(str_(error.args[0])[:200], "utf-8", "backslashreplace"))
        except exc as error:
            send(nonce, b"X", describe(error))
        else:
            send(nonce, b"V", join(out))

_main()
)PY";

}  // namespace

const std::string& python_driver() {
  static const std::string driver = kDriver;
  return driver;
}

}  // namespace plumb
