#!/usr/bin/env python3
"""Holds the code to docs/architecture.md: rooms include only what the table there allows. Also looks for what the
exactness promise forbids (OpenMP pragmas, value-changing compiler flags) and for files over 500 lines.

usage: include_table.py SOURCE_DIR [BUILD_DIR]    one line per violation; exit status 1 if there are any
       include_table.py --self-test               plants each kind of violation in a scratch tree and expects it found
"""

import json
import pathlib
import re
import sys
import tempfile

MAX_LINES = 500
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
OMP_PRAGMA = re.compile(r'^\s*#\s*pragma\s+omp\b|_Pragma\s*\(\s*"omp\b')
ROW = re.compile(r"^\|\s*`([^`]+)/`\s*\|[^|]*\|([^|]*)\|\s*$")
CODE = {".h", ".cc", ".cu", ".c", ".inc"}
SCRIPTS = {".py", ".sh"}
FORBIDDEN_FLAGS = {
    "-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-fassociative-math", "-freciprocal-math",
    "-ffinite-math-only", "-fno-signed-zeros", "-ffp-contract=fast", "-ffp-contract=on",
    "-fopenmp-simd",
}
REQUIRED_FLAG = "-ffp-contract=off"


def read_table(page: pathlib.Path) -> dict[str, set[str] | None]:
    """Room -> rooms it may include; None = anything. Rows look like | `room/` | what it holds | core, tensor |"""
    table = {}
    for line in page.read_text().splitlines():
        row = ROW.match(line)
        if row:
            cell = row.group(2).strip()
            words = re.findall(r"[a-z_]+(?:/[a-z_]+)*", cell)
            table[row.group(1)] = None if cell == "anything" else set(words) - {"nothing"}
    return table


def room_of(path: str, table: dict) -> str | None:
    """The longest row that the path lies in: reward/rules/scorer.h is in reward/rules."""
    holders = [room for room in table if path.startswith(room + "/")]
    return max(holders, key=len, default=None)


def source_files(root: pathlib.Path) -> list[pathlib.Path]:
    skipped = {"build", "runs", ".git", ".cache", "__pycache__"}
    found = [p for p in root.rglob("*") if p.suffix in CODE | SCRIPTS and p.is_file()]
    return sorted(p for p in found if p.relative_to(root).parts[0] not in skipped)


def check_includes(name: str, lines: list[str], room: str, table: dict, root: pathlib.Path) -> list[str]:
    allowed = table[room]
    problems = []
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match or "/" not in match.group(1):
            continue
        target = match.group(1)
        other = room_of(target, table)
        if other is not None and not (root / target).exists():
            problems.append(f"{name}:{number}: {target} does not exist")
        elif other is None:
            problems.append(f'{name}:{number}: "{target}" is in no room; include from the repository root')
        elif other != room and allowed is not None and other not in allowed:
            may = ", ".join(sorted(allowed)) or "nothing"
            problems.append(f"{name}:{number}: {room}/ includes {target}, but may include only {may}")
    return problems


def check_sources(root: pathlib.Path, table: dict) -> list[str]:
    problems = []
    for path in source_files(root):
        name = path.relative_to(root).as_posix()
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > MAX_LINES:
            problems.append(f"{name}: {len(lines)} lines; split it, {MAX_LINES} is the limit")
        if path.suffix not in CODE:
            continue
        problems += [f"{name}:{n}: OpenMP pragma; use core/thread_pool.h"
                     for n, line in enumerate(lines, 1) if OMP_PRAGMA.search(line)]
        room = room_of(name, table)
        if room is None:
            problems.append(f"{name}: its folder has no row in the table of docs/architecture.md")
        else:
            problems += check_includes(name, lines, room, table, root)
    return problems


def check_rows(root: pathlib.Path, table: dict) -> list[str]:
    problems = [f"docs/architecture.md: the table names {room}/, which does not exist"
                for room in table if not (root / room).is_dir()]
    for room, allowed in table.items():
        problems += [f"docs/architecture.md: {room}/ may include {other}, which is no row of the table"
                     for other in sorted(allowed or ()) if other not in table]
    return problems


def check_flags(root: pathlib.Path, build: pathlib.Path) -> list[str]:
    commands = build / "compile_commands.json"
    if not commands.exists():
        return [f"{commands}: absent; configure with CMAKE_EXPORT_COMPILE_COMMANDS"]
    problems = []
    for entry in json.loads(commands.read_text()):
        name = pathlib.Path(entry["file"]).resolve()
        if not name.is_relative_to(root.resolve()) or name.is_relative_to(build.resolve()):
            continue
        flags = set(entry.get("command", "").split()) | set(entry.get("arguments", []))
        shown = name.relative_to(root.resolve()).as_posix()
        problems += [f"{shown}: compiled with {flag}, which changes values"
                     for flag in sorted(flags & FORBIDDEN_FLAGS)]
        if REQUIRED_FLAG not in flags:
            problems.append(f"{shown}: compiled without {REQUIRED_FLAG}; link plumb_flags")
    return problems


def check(root: pathlib.Path, build: pathlib.Path | None) -> list[str]:
    page = root / "docs" / "architecture.md"
    table = read_table(page)
    if not table:
        return [f"{page}: no table of rooms found"]
    problems = check_rows(root, table) + check_sources(root, table)
    return problems + (check_flags(root, build) if build else [])


GOOD_TREE = {
    "docs/architecture.md": "| folder | holds | may include |\n|---|---|---|\n"
                            "| `core/` | basics | nothing |\n| `tensor/` | maths | core |\n"
                            "| `reward/rules/` | scores | core |\n| `apps/` | binary | anything |\n",
    "core/a.h": "#include <vector>\n",
    "core/a.cc": '#include "core/a.h"\n',
    "tensor/t.h": '#include "core/a.h"\n#include "local.h"\n',
    "reward/rules/r.cc": '#include "core/a.h"\n',
    "apps/main.cc": '#include "tensor/t.h"\n',
}
# (what is planted, where, and what has to be said about it)
PLANTED = [
    ({"core/b.h": '#include "tensor/t.h"\n'}, "core/b.h:1: core/ includes tensor/t.h"),
    ({"reward/rules/s.cc": '\n# include "tensor/t.h"\n'}, "reward/rules/s.cc:2: reward/rules/ includes tensor/t.h"),
    ({"tensor/u.h": '#include "gone/x.h"\n'}, "tensor/u.h:1: \"gone/x.h\" is in no room"),
    ({"tensor/w.h": '#include "core/gone.h"\n'}, "tensor/w.h:1: core/gone.h does not exist"),
    ({"tensor/v.cc": "  #pragma omp parallel for\n"}, "tensor/v.cc:1: OpenMP pragma"),
    ({"core/long.cc": "\n" * 501}, "core/long.cc: 501 lines"),
    ({"stray/x.cc": "\n"}, "stray/x.cc: its folder has no row"),
    ({"docs/architecture.md": GOOD_TREE["docs/architecture.md"] + "| `ghost/` | none | core |\n"}, "names ghost/"),
    ({"docs/architecture.md": "nothing here\n"}, "no table of rooms"),
]
PLANTED_FLAGS = [
    ("g++ -ffp-contract=off -ffast-math -c core/a.cc", "core/a.cc: compiled with -ffast-math"),
    ("g++ -O3 -c core/a.cc", "core/a.cc: compiled without -ffp-contract=off"),
]


def plant(folder: str, files: dict[str, str], command: str) -> list[str]:
    root = pathlib.Path(folder)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    build = root / "build"
    build.mkdir()
    entry = {"directory": folder, "file": str(root / "core/a.cc"), "command": command}
    (build / "compile_commands.json").write_text(json.dumps([entry]))
    return check(root, build)


def self_test() -> list[str]:
    clean = "g++ -ffp-contract=off -c core/a.cc"
    cases = [(GOOD_TREE, clean, None)]
    cases += [(GOOD_TREE | files, clean, expected) for files, expected in PLANTED]
    cases += [(GOOD_TREE, command, expected) for command, expected in PLANTED_FLAGS]
    failures = []
    for files, command, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            problems = plant(folder, files, command)
        if expected is None and problems:
            failures.append(f"self-test: a clean tree was refused: {problems}")
        if expected is not None and not any(expected in problem for problem in problems):
            failures.append(f"self-test: not found: {expected!r}; said instead: {problems}")
    return failures


def main(arguments: list[str]) -> int:
    if arguments == ["--self-test"]:
        problems = self_test()
    elif len(arguments) in (1, 2):
        problems = check(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]) if len(arguments) == 2 else None)
    else:
        print(__doc__)
        return 2
    print("\n".join(problems) if problems else "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
