"""Training whose completions are sampled by other processes: the same bits as by one, whatever happens to them."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

from training_case import TrainingCase

PARENTS = [pathlib.Path("/dev/shm"), pathlib.Path(os.environ.get("TMPDIR", "/tmp"))]


def is_actor(pid):
    try:
        return b"\0actor\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return False


def actors_of(pid):
    """Process ids of the actors that the learner `pid` has."""
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split() if is_actor(child)]
    except OSError:
        return []


def folders_of(pid):
    return [path for parent in PARENTS for path in parent.glob(f"plumb-actors-{pid}-*")]


class ActorProcesses(TrainingCase):
    def begin(self, out, **settings):
        return subprocess.Popen([os.environ["PLUMB_BINARY"], *map(str, self.command(out, **settings))], cwd=self.folder,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def wait_for_step(self, run, step):
        """What the run says until then."""
        said = ""
        for line in run.stderr:
            said += line
            if f"step   {step}/" in line:
                return said
        self.fail(f"the run ended before step {step}")

    def test_the_same_bits_as_in_one_process(self):
        settings = {"sampling__top_p": 0.99, "grpo__steps": 3, "grpo__mini_batches": 2}
        self.train("one", **settings)
        self.train("two", grpo__actor_processes=2, **settings)
        self.assert_same_run("one", "two")
        self.train("off-one", grpo__schedule="one_step_off", **settings)
        self.train("off-three", grpo__schedule="one_step_off", grpo__actor_processes=3, grpo__actor_threads=2, **settings)
        self.assert_same_run("off-one", "off-three")
        result = self.plumb("replay", "--run", "two", "--step", "2")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_an_asynchronous_learner_sends_weights_into_the_middle_of_completions(self):
        self.train("run", grpo__schedule="asynchronous", grpo__actor_processes=2, grpo__steps=10, grpo__max_staleness=2,
                   grpo__old_policy="decoupled", grpo__importance="token_truncate")
        rows = self.metrics("run")
        self.assertEqual([row["step"] for row in rows], list(range(1, 11)))
        self.assertLessEqual(max(row["staleness/max"] for row in rows), 2)
        self.assertGreater(max(row["staleness/mean"] for row in rows), 0)

    def test_actors_that_die_or_hang_change_nothing(self):
        settings = {"grpo__steps": 8}
        self.train("whole", **settings)
        run = self.begin("hurt", grpo__actor_processes=2, grpo__actor_timeout_s=5, **settings)
        errors = ""
        for step, harm in ((2, signal.SIGKILL), (4, signal.SIGSTOP), (6, signal.SIGKILL)):
            errors += self.wait_for_step(run, step)
            actors = []
            while not actors:
                actors = actors_of(run.pid)
            os.kill(actors[0], harm)
        errors += run.communicate(timeout=120)[1]
        self.assertEqual(run.returncode, 0, errors)
        self.assertIn("was ended by signal 9 (Killed)", errors)
        self.assertIn("said nothing for 5 s and was ended", errors)
        self.assertIn("and it is started again", errors)
        self.assert_same_run("whole", "hurt")
        self.assertEqual(folders_of(run.pid), [])

    def test_a_run_whose_actors_die_again_and_again_ends(self):
        run = self.begin("run", grpo__actor_processes=2, grpo__steps=1000)
        self.wait_for_step(run, 1)
        while run.poll() is None:
            for pid in actors_of(run.pid):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        errors = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, 1)
        self.assertIn("no actor process is left after 3 restarts: actor ", errors)
        self.assertIn("was ended by signal 9 (Killed)", errors)
        self.assertIn("actors/actor-", errors)

    def test_actors_end_with_the_learner(self):
        for harm in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
            run = self.begin(f"run-{harm}", grpo__actor_processes=2, grpo__steps=1000)
            self.wait_for_step(run, 1)
            actors = actors_of(run.pid)
            self.assertEqual(len(actors), 2)
            self.assertEqual(len(folders_of(run.pid)), 1)
            if harm == signal.SIGKILL:
                run.kill()
            else:  # as a terminal and a batch system do it
                os.killpg(run.pid, harm)
            output = run.communicate(timeout=60)[1]
            if harm != signal.SIGKILL:
                self.assertEqual(run.returncode, 130, output)
                self.assertNotIn("was ended", output)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                left = [pid for pid in actors if pathlib.Path(f"/proc/{pid}").exists()] + folders_of(run.pid)
                if not left:
                    break
                time.sleep(0.05)
            self.assertEqual(left, [], harm)

    def test_actors_that_cannot_work_are_named(self):
        result = self.plumb(*self.command("run", grpo__actor_processes=1, sampling__max_new_tokens=5000))
        self.assertEqual(result.returncode, 1)
        self.assertIn("exceeds the model's context of 1024", result.stderr)
        result = self.plumb("actor", "--model", self.models / "warm/policy", "--folder", "nowhere", "--name", "a",
                            "--learner", "1")
        self.assert_refused(result, 1, "nowhere: no such folder")


if __name__ == "__main__":
    unittest.main()
