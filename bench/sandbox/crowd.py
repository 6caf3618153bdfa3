#!/usr/bin/env python3
"""crowd.py PLUMB [--count N] [--slots N]: N submissions of which a fifth wastes time (endless loops, sleep, waiting for input
that never comes, stubborn children, floods, compile bombs), judged in one call of `plumb judge`, in random order. The honest
ones were judged before, without the others. Prints one JSON object: seconds, what they may be at most (1.2 x CPU seconds used
/ processors + one wall limit), and the honest whose verdict is another one in the crowd; exit status 1 if there is any."""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

LIMITS = {"cpu_s": 1, "wall_s": 4, "memory_mib": 256}
WASTERS = {
    "python": ["while True:\n    pass\n",
               "import time\ntime.sleep(1000)\n",
               "import os\nos.fork()\nos.fork()\nwhile True:\n    pass\n",
               "import threading\nthreading.Event().wait()\n",
               "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    time.sleep(0.001)\n",
               "while True:\n    print('x' * 10000)\n",
               "a = []\nwhile True:\n    a.append(bytes(1 << 20))\n",
               "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\ntime.sleep(1000)\n",
               "import sys\nsys.stdin.read()\nopen('/dev/zero').read()\n"],
    "cpp": ["int main() { for (volatile int i = 0;; i = i + 1) {} }\n",
            "#include <unistd.h>\nint main() { pause(); }\n",
            "template <int N> struct A { A<N + 1> a; };\nA<0> a;\nint main() {}\n",
            "#include <thread>\nint main() { std::this_thread::sleep_for(std::chrono::hours(1)); }\n"],
}


def honest(i):
    n = i % 7
    if i % 4 == 0:
        source = (f"#include <iostream>\nint main() {{\n  long a, s = 0;\n  while (std::cin >> a) s += a * {i};\n"
                  f"  std::cout << s + {n == 3:d} << std::endl;\n}}\n")
        language = "cpp"
    else:
        source = f"import sys\nprint(sum(int(a) * {i} for a in sys.stdin.read().split()) + {n == 3:d})\n"
        language = "python"
    return {"id": f"honest/{i}", "language": language, "source": source, "entry": "stdio", "limits": LIMITS,
            "tests": [{"input": "1 2 3\n", "output": f"{6 * i}\n"}, {"input": "10\n", "output": f"{10 * i}\n"}]}


def waster(i):
    language = "cpp" if i % 3 == 0 else "python"
    kinds = WASTERS[language]
    comment = "//" if language == "cpp" else "#"
    return {"id": f"waster/{i}", "language": language, "source": f"{kinds[i // 3 % len(kinds)]}{comment} {i}\n", "entry": "stdio",
            "limits": LIMITS, "tests": [{"input": "", "output": "1\n"}]}


def judge(plumb, rows, slots):
    with tempfile.TemporaryDirectory() as folder:
        source, out = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
        source.write_text("".join(json.dumps(one) + "\n" for one in rows))
        start = time.monotonic()
        subprocess.run([plumb, "judge", "--in", source, "--out", out, "--slots", str(slots)], check=True,
                       stderr=subprocess.DEVNULL)
        return [json.loads(line) for line in out.read_text().splitlines()], time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plumb")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=0)
    options = parser.parse_args()
    crowd = [waster(i) if i % 5 == 0 else honest(i) for i in range(options.count)]
    alone, alone_s = judge(options.plumb, [one for one in crowd if one["id"].startswith("honest")], options.slots)
    expected = {one["id"]: one["verdict"] for one in alone}
    random.Random(1).shuffle(crowd)
    judged, seconds = judge(options.plumb, crowd, options.slots)
    differ = [one["id"] for one in judged if expected.get(one["id"], one["verdict"]) != one["verdict"]]
    cpu_s = sum(one["cpu_s"] for one in judged)
    wasters = {}
    for one in judged:
        if one["id"].startswith("waster"):
            wasters[one["verdict"]] = wasters.get(one["verdict"], 0) + 1
    at_most = 1.2 * cpu_s / os.cpu_count() + LIMITS["wall_s"]
    print(json.dumps({"honest_alone_s": alone_s, "crowd_s": seconds, "at_most_s": at_most, "cpu_s": cpu_s,
                      "wasters": wasters, "honest_judged_otherwise": differ}, indent=1))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
