"""Compiles all C++ references of the primer into one program and runs it on every graded and audit case."""

import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent


def encode(value):
    """A value in the words of cpp_reference_harness.h."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, str):
        return f"{len(value)}:{value}"
    return " ".join([str(len(value))] + [encode(v) for v in value])


def program(rows):
    """The C++ source: one namespace per reference, and a main that checks them in order."""
    parts = [f'#include "{HERE / "cpp_reference_harness.h"}"\n']
    calls = []
    for i, row in enumerate(rows):
        parts.append(f"namespace task_{i} {{\n{row['references']['cpp']}}}\n")
        calls.append(f'  check("{row["function"]["name"]}", task_{i}::{row["function"]["name"]});\n')
    return "".join(parts) + "int main() {\n" + "".join(calls) + "}\n"


def trap_flag(compiler):
    """gcc 12 and clang spell "trap on undefined behaviour" differently."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    return "-fsanitize-trap=undefined" if "clang" in version else "-fsanitize-undefined-trap-on-error"


def check_cpp(rows, audits, compiler):
    """Problems of the C++ references: does not compile, traps, or gives another result than the Python reference."""
    if any(re.search(r"#\s*include|using namespace", row["references"]["cpp"]) for row in rows):
        return ["a C++ reference holds an include or a using directive"]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "references.cc"
        binary = pathlib.Path(folder) / "references"
        source.write_text(program(rows))
        flags = ["-std=c++20", "-O0", "-fsanitize=undefined", trap_flag(compiler), "-Werror=return-type",
                 "-D_GLIBCXX_ASSERTIONS"]
        build = subprocess.run([compiler, *flags, str(source), "-o", str(binary)], capture_output=True, text=True)
        if build.returncode != 0:
            return ["the C++ references do not compile:\n" + build.stderr[:4000]]
        lines = []
        for row in rows:
            cases = row["tests"] + row["examples"] + audits[row["id"]]
            lines.append(str(len(cases)))
            lines += [" ".join([encode(a) for a in case["args"]] + [encode(case["result"])]) for case in cases]
        run = subprocess.run([str(binary)], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
    output = run.stdout.splitlines()
    problems = [f"C++ reference: {line}" for line in output if line.startswith(("wrong", "unread"))]
    if run.returncode != 0 or sum(line.startswith("done") for line in output) != len(rows):
        problems.append(f"the C++ references stopped with {run.returncode} in {output[-1] if output else 'the first'}")
    return problems
