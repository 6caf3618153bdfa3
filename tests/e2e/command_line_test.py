"""What the command line accepts and how it refuses."""

import json
import re
import unittest

from plumb_case import PlumbCase


def subcommands(help_text):
    listed = help_text.split("Subcommands:")[1]
    return re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE)


class CommandLine(PlumbCase):
    def test_version(self):
        result = self.plumb("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^plumb \d+\.\d+\.\d+ \(commit [0-9a-f]{12}(-dirty)?|unknown")

    def test_every_subcommand_has_help(self):
        result = self.plumb("--help")
        self.assertEqual(result.returncode, 0)
        names = subcommands(result.stdout)
        self.assertIn("doctor", names)
        for name in names:
            with self.subTest(name):
                help_of = self.plumb(name, "--help")
                self.assertEqual(help_of.returncode, 0)
                self.assertIn(f"plumb {name}", help_of.stdout)

    def test_nothing_asked_for(self):
        result = self.plumb()
        self.assertEqual(result.returncode, 2)
        self.assertIn("Subcommands:", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_unknown_subcommand(self):
        self.assert_refused(self.plumb("dcotor"), 2, "unknown subcommand dcotor", "doctor", "plumb --help")

    def test_unknown_option(self):
        self.assert_refused(self.plumb("doctor", "--jsno"), 2, "unknown option --jsno", "--json", "plumb doctor --help")

    def test_stray_argument(self):
        self.assert_refused(self.plumb("doctor", "please"), 2, "unexpected argument please")

    def test_two_subcommands(self):
        self.assertEqual(self.plumb("doctor", "doctor").returncode, 2)


class Doctor(PlumbCase):
    def test_table_and_json_agree(self):
        table = self.plumb("doctor")
        result = self.plumb("doctor", "--json")
        self.assertIn(result.returncode, (0, 1))
        self.assertEqual(table.returncode, result.returncode)
        findings = json.loads(result.stdout)["findings"]
        names = [finding["name"] for finding in findings]
        for expected in ("isolation", "processor", "arithmetic", "memory", "disk", "g++", "clang", "python3"):
            self.assertIn(expected, names)
        for finding in findings:
            self.assertIn(finding["health"], ("ok", "limited", "missing"))
            self.assertIn(finding["name"], table.stdout)
            if finding["health"] != "ok":
                self.assertNotEqual(finding["remedy"], "", finding)
                self.assertIn(finding["remedy"], table.stdout)

    def test_absent_compilers_are_named_with_a_remedy(self):
        result = self.plumb("doctor", env={"PATH": str(self.folder)})
        self.assertEqual(result.returncode, 1)
        self.assertIn("apt-get install g++", result.stdout)
        # The sandbox has its own path: whatever lies first in the user's judges nothing.
        self.assertRegex(result.stdout, r"ok +python3 +3\.")


if __name__ == "__main__":
    unittest.main()
