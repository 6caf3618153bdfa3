"""`plumb verify-math`: rows in, verdicts out, in order; bad rows get an error record."""

import base64
import json
import pathlib
import unittest

from plumb_case import PlumbCase


class VerifyMath(PlumbCase):
    def verify(self, rows, *arguments):
        source = pathlib.Path(self.folder, "in.jsonl")
        source.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
        return self.plumb("verify-math", "--in", source, "--out", "out.jsonl", *arguments)

    def outputs(self):
        return [json.loads(line) for line in pathlib.Path(self.folder, "out.jsonl").read_text().splitlines()]

    def test_every_spelling_of_a_response(self):
        result = self.verify([
            {"id": "pred", "gold": "\\frac12", "pred": "so \\boxed{0.5}"},
            {"id": "parts", "gold": "5", "pred_parts": [["1", 100000], ["\\boxed{5}", 1]]},
            {"id": "bytes", "gold": "5", "pred_b64": base64.b64encode(b"\\boxed{5\xff}").decode()},
            {"id": "bare", "gold": "x^2", "pred": "x\u00b2", "bare": True},
            {"id": "option", "gold": "\\pi", "pred": "\\boxed{3.14}", "options": {"decimal_digits": 3}},
            {"id": "default", "gold": "\\pi", "pred": "\\boxed{3.14}"},
            {"id": "none", "gold": "5", "pred": "I do not know."},
        ])
        self.assertEqual(result.returncode, 0, result.stderr)
        outputs = self.outputs()
        self.assertEqual([(row["id"], row["verdict"]) for row in outputs],
                         [("pred", "equal"), ("parts", "equal"), ("bytes", "undecided"), ("bare", "equal"),
                          ("option", "equal"), ("default", "not_equal"), ("none", "not_equal")])
        self.assertEqual(outputs[0]["extracted"], "0.5")
        self.assertEqual(base64.b64decode(outputs[2]["extracted"]["base64"]), b"5\xff")
        for row in outputs:
            self.assertTrue(row["reason"])
            self.assertGreaterEqual(row["work"], 0)

    def test_bad_rows_are_named_and_the_others_go_on(self):
        result = self.verify([{"id": "a", "pred": "5"}, "not json\n", {"id": "b", "gold": 5, "pred": "5"},
                              {"id": "c", "gold": "5", "pred": "\\boxed{5}", "options": {"colour": 1}},
                              {"id": "d", "gold": "5", "pred": "\\boxed{5}"}])
        self.assertEqual(result.returncode, 0, result.stderr)
        outputs = self.outputs()
        self.assertEqual([row["id"] for row in outputs], ["a", "line:2", "b", "c", "d"])
        self.assertIn("gold", outputs[0]["error"])
        self.assertIn("colour", outputs[3]["error"])
        self.assertEqual(outputs[4]["verdict"], "equal")

    def test_a_missing_worker_is_said_at_once(self):
        result = self.verify([{"id": "a", "gold": "5", "pred": "\\boxed{5}"}])
        self.assertEqual(result.returncode, 0, result.stderr)
        source = pathlib.Path(self.folder, "in.jsonl")
        refused = self.plumb("verify-math", "--in", source, "--out", "other.jsonl",
                             env={"PLUMB_MATHS_WORKER": "/nonexistent/plumb-maths"})
        self.assert_refused(refused, 1, "/nonexistent/plumb-maths", "PLUMB_MATHS_WORKER")


if __name__ == "__main__":
    unittest.main()
