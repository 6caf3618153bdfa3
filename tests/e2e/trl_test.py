"""Two steps of TRL's own GRPOTrainer with plumb's rewards. Skipped (exit status 77) where TRL is not installed."""

import os
import pathlib
import sys
import tempfile
import unittest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

try:
    import datasets
    import trl
except ImportError:
    print("skipped: TRL is not installed")
    sys.exit(77)

from tiny_model import REPOSITORY, write_tiny_model  # noqa: E402

sys.path.insert(0, str(REPOSITORY / "clients" / "python"))

from plumb_reward import CodeReward, MathReward, RewardClient  # noqa: E402

FUNCTION = {"name": "twice", "parameters": [{"name": "n", "type": "int"}], "returns": "int"}
TESTS = [{"args": [n], "result": 2 * n} for n in (3, -2, 0, 11)]
RIGHT = "```python\ndef twice(n):\n    return n + n\n```"


class EverySecondIsRight:
    """Puts the right answer in place of every second completion, for a random model finds none; the trainer's own
    mean then says that each reward reached its own completion."""

    right = ""

    def scores(self, completions, **columns):
        self.rows += len(completions)
        return super().scores([self.right if index % 2 == 0 else completion
                               for index, completion in enumerate(completions)], **columns)


class HalfRightCode(EverySecondIsRight, CodeReward):
    right, rows = RIGHT, 0


class HalfRightMath(EverySecondIsRight, MathReward):
    right, rows = "so \\boxed{0.5}", 0


class GrpoTrainer(unittest.TestCase):
    def train(self, reward, rows):
        temporary = tempfile.TemporaryDirectory(prefix="plumb_trl_")
        self.addCleanup(temporary.cleanup)
        folder = pathlib.Path(temporary.name)
        config = trl.GRPOConfig(output_dir=str(folder / "run"), max_steps=2, per_device_train_batch_size=4,
                                num_generations=4, max_completion_length=8, use_cpu=True, bf16=False, report_to=[],
                                logging_steps=1, save_strategy="no", disable_tqdm=True)
        trainer = trl.GRPOTrainer(model=str(write_tiny_model(folder / "model")), reward_funcs=[reward], args=config,
                                  train_dataset=datasets.Dataset.from_list(rows))
        trainer.train()
        self.assertEqual(trainer.state.global_step, 2)
        self.assertEqual(reward.rows, 8)
        name = f"rewards/{type(reward).__name__}/mean"
        return [log[name] for log in trainer.state.log_history if name in log]

    @classmethod
    def setUpClass(cls):
        cls.client = RewardClient(token="")
        cls.addClassCleanup(cls.client.close)

    def test_code(self):
        rows = [{"prompt": f"Write twice, {n}.", "function": FUNCTION, "tests": TESTS} for n in range(4)]
        self.assertEqual(self.train(HalfRightCode(self.client), rows), [0.5, 0.5])

    def test_conversations_and_maths(self):
        rows = [{"prompt": [{"role": "user", "content": f"{n} / {2 * n}?"}], "answer": "1/2"} for n in range(1, 5)]
        self.assertEqual(self.train(HalfRightMath(self.client), rows), [0.5, 0.5])


if __name__ == "__main__":
    unittest.main()
