"""Runs the plumb binary (PLUMB_BINARY) for the end-to-end tests."""

import os
import pathlib
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


if "PLUMB_BINARY" in os.environ:  # commands run in a folder of their own
    os.environ["PLUMB_BINARY"] = os.path.abspath(os.environ["PLUMB_BINARY"])


class PlumbCase(unittest.TestCase):
    """A scratch folder per test, and the binary in it."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="plumb_e2e_")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def plumb(self, *arguments, timeout=120, **options):
        binary = os.environ["PLUMB_BINARY"]
        return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, timeout=timeout, cwd=self.folder, **options)

    def assert_refused(self, result, status, *words):
        """One line on stderr, beginning with "plumb: " and holding every word; nothing but that line."""
        self.assertEqual(result.returncode, status, result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("plumb: "), lines[0])
        for word in words:
            self.assertIn(word, lines[0])
