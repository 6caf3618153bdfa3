#!/usr/bin/env python3
"""endurance.py PLUMB [--kills 200] [--runs 100000]: what is left of a judge that is killed, and of one that judges for long.

Kills: `plumb judge` works on programs that spin, sleep, fork and write files; it gets SIGKILL at a random instant, and one second
later no process or control group of its launchers may be left (mounts are of their own namespaces, and end with them). Runs: one judge works through as many different
programs; its descriptors, resident memory and control groups, its launchers' included, are taken at a tenth and at the end.
Prints one JSON object; exit status 1 where something was left or grew by more than 2 %. Needs root, as control groups do.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ATTEMPTS = ["def f(n):\n    while True: pass\n", "import time\ndef f(n):\n    time.sleep(9)\n",
            "import os\ndef f(n):\n    for i in range(8):\n        if os.fork() == 0:\n            while True: pass\n",
            "def f(n):\n    open('/work/left', 'w').write('x' * 100000)\n    return n\n", "def f(n):\n    return n + 1\n"]


def submission(index, source, result):
    return json.dumps({"id": index, "language": "python", "source": f"# {index}\n{source}", "entry": "function:f",
                       "tests": [{"args": [index], "result": result}], "limits": {"cpu_s": 1, "wall_s": 3}}) + "\n"


def launchers(parent):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == parent and (entry / "comm").read_text().strip() == "plumb-sandbox":
                found.append(int(entry.name))
        except (OSError, IndexError):
            pass
    return found


def control_groups(pids):
    names = {f"plumb-sandbox-{pid}" for pid in pids}
    return [folder for folder, inner, _ in os.walk("/sys/fs/cgroup") for name in inner if name in names]


def descendants_of_slots(pids):
    """Processes whose control group names one of these launchers."""
    names = [f"plumb-sandbox-{pid}" for pid in pids]
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            group = (entry / "cgroup").read_text()
        except OSError:
            continue
        if any(group.find(name + "\n") >= 0 for name in names):
            found.append(int(entry.name))
    return found


def kill_supervisors(plumb, count, folder):
    instants = random.Random(6)
    rows = folder / "hostile.jsonl"
    rows.write_text("".join(submission(i, ATTEMPTS[i % len(ATTEMPTS)], i + 1) for i in range(400)))
    left, started = [], 0
    for kill in range(count):
        process = subprocess.Popen([plumb, "judge", "--in", rows, "--out", folder / f"out-{kill}.jsonl"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(instants.uniform(0, 2.5))
        pids = launchers(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline and (descendants_of_slots(pids) or control_groups(pids)):
            time.sleep(0.02)
        remains = descendants_of_slots(pids) + control_groups(pids)
        started += bool(pids)
        if remains:
            left.append({"kill": kill, "left": [str(one) for one in remains]})
    return {"kills": count, "with_launchers": started, "left": left}


def usage(pid):
    pids = [pid, *launchers(pid)]
    fds = sum(len(os.listdir(f"/proc/{one}/fd")) for one in pids)
    kib = 0
    for one in pids:
        kib += next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines()
                    if line.startswith("VmRSS:"))
    return {"descriptors": fds, "rss_mib": round(kib / 1024, 1), "control_groups": len(control_groups(pids[1:]))}


def judge_for_long(plumb, count, folder):
    rows = folder / "many.jsonl"
    with rows.open("w") as file:
        for i in range(count):
            file.write(submission(i, "def f(n):\n    return n + 1\n", i + 1))
    out = folder / "many-out.jsonl"
    start = time.monotonic()
    process = subprocess.Popen([plumb, "judge", "--in", rows, "--out", out, "--evidence-mib", "1"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken, done = {}, 0
    while process.poll() is None:
        time.sleep(0.3)
        done = sum(1 for _ in out.open()) if out.exists() else 0
        if done >= count // 10:
            try:
                now = usage(process.pid)
            except (OSError, StopIteration):
                break  # it has just ended
            if now["control_groups"]:  # else its launchers have just ended
                taken.setdefault("at_a_tenth", now)
                taken["at_the_end"] = now
    if process.wait() != 0:
        sys.exit("plumb judge failed")
    verdicts = {}
    for line in out.open():
        verdict = json.loads(line).get("verdict", "none")
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    return {"runs": count, "seconds": round(time.monotonic() - start, 1), "verdicts": verdicts, **taken}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plumb")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--runs", type=int, default=100000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plumb_endurance_") as scratch:
        folder = pathlib.Path(scratch)
        result = {}
        if options.kills:
            result["supervisor"] = kill_supervisors(options.plumb, options.kills, folder)
        if options.runs:
            result["long"] = judge_for_long(options.plumb, options.runs, folder)
    print(json.dumps(result))
    bad = bool(result.get("supervisor", {}).get("left"))
    if options.runs:
        first, last = result["long"]["at_a_tenth"], result["long"]["at_the_end"]
        bad |= set(result["long"]["verdicts"]) != {"AC"}
        bad |= any(last[key] > first[key] * 1.02 for key in first)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
