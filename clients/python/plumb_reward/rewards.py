"""Rewards with the signatures that TRL (`reward_funcs`) and verl (`compute_score`) call."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Union

from ._json import encode
from .client import RewardClient, Score, shared_client
from .errors import RewardServerError

Completion = Union[str, Sequence[Mapping[str, Any]]]


def text_of(completion: Completion) -> str:
    """The text of a completion: itself, or the content of its last message; "" where there is none. Half of a character
    (a lone surrogate, as a cut token leaves one) becomes "?"."""
    text = completion if isinstance(completion, str) else (completion[-1]["content"] if completion else "")
    if isinstance(text, list):  # parts of a message
        text = "".join(part.get("text") or "" for part in text if isinstance(part, Mapping))
    return str(text or "").encode("utf-8", "replace").decode()


class _Reward:
    """A reward function for TRL: called with prompts, completions and the data set's columns as lists."""

    columns: tuple[str, ...] = ()

    def __init__(self, client: Optional[RewardClient] = None) -> None:
        self._client = client
        self.__name__ = type(self).__name__

    def item(self, completion: str, row: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def scores(self, completions: Sequence[Completion], **columns: Any) -> list[Score]:
        """The whole score records, parts and reasons included."""
        client = self._client or shared_client()
        items = []
        for index, completion in enumerate(completions):
            row = {name: values[index] for name, values in columns.items()
                   if isinstance(values, (list, tuple)) and len(values) == len(completions)}
            items.append(self.item(text_of(completion), row))
        return client.score(items)

    def __call__(self, prompts: Optional[Sequence[Any]] = None, completions: Sequence[Completion] = (),
                 **columns: Any) -> list[Optional[float]]:
        """One reward a completion; None (which TRL leaves out) where a fault of the service lost it."""
        if prompts is not None:
            columns["prompt"] = prompts
        return [_total(score) for score in self.scores(completions, **columns)]


class CodeReward(_Reward):
    """Judges code against tests. Columns: `function` and `tests` in plumb's schema (and `language`, where it is not
    Python), `test_code`, MBPP's `test_list` or HumanEval's `test` and `entry_point`, or verl's `reward_model` or
    `ground_truth` with inputs and outputs."""

    def item(self, completion: str, row: Mapping[str, Any]) -> dict[str, Any]:
        if "function" in row:
            language = row.get("language") or "python"
            keys = ("id", "description", "function", "tests", "data_source")
            task = {key: row[key] for key in keys if row.get(key) is not None}
            task = {"id": "task", "description": "solves the task.", "languages": [language], **task}
            return {"row": task, "language": language, "completion": completion}
        if any(row.get(key) is not None for key in ("test_code", "test_list", "test")):
            keys = ("test_code", "helpers", "functions", "test_list", "test_setup_code", "test_imports", "test",
                    "entry_point", "data_source")
            task = {key: row[key] for key in keys if row.get(key) is not None}
            prompt = row.get("prompt")  # HumanEval's holds functions that its tests call
            return {"row": {"id": "task", "prompt": prompt if isinstance(prompt, str) else "solves the task.", **task},
                    "completion": completion}
        return _verl_item(completion, row)


class MathReward(_Reward):
    """Compares the final answer with the truth. Columns: `answer`, `solution`, `ground_truth` or `reward_model`."""

    def item(self, completion: str, row: Mapping[str, Any]) -> dict[str, Any]:
        for key in ("answer", "solution"):
            if row.get(key) is not None:
                return {"row": {"id": "task", "question": "as in the data set", "answer": str(row[key])},
                        "completion": completion}
        return _verl_item(completion, row)


def score(data_source: str, solution_str: str, ground_truth: Any, extra_info: Optional[Mapping[str, Any]] = None,
          **_: Any) -> dict[str, Any]:
    """verl's compute_score: {"score": total, "acc": solved, ...}. Raises RewardServerError for a fault of the service,
    for verl has no unscored samples and 0 would be a lie."""
    item = {"data_source": data_source, "solution_str": solution_str, "ground_truth": _truth(ground_truth),
            "extra_info": dict(extra_info or {})}
    record = shared_client().score([item])[0]
    total = _total(record)
    if total is None:
        raise RewardServerError(f"unscored: {record.get('unscored', {}).get('fault')}")
    return {"score": total, "acc": 1.0 if record.get("solved") else 0.0}


compute_score = score


def _truth(ground_truth: Any) -> Any:
    """A text or a number, or the tests of a program as one JSON text; anything else the server would have to guess."""
    if hasattr(ground_truth, "tolist"):  # NumPy's
        ground_truth = ground_truth.tolist()
    if isinstance(ground_truth, (str, int, float)) and not isinstance(ground_truth, bool):
        return ground_truth
    if isinstance(ground_truth, Mapping):
        return encode(ground_truth, "ground_truth").decode()
    raise ValueError(f"ground_truth: expected a text, a number, or a mapping with a program's tests, found "
                     f"{type(ground_truth).__name__} {ground_truth!r:.80}")


def _verl_item(completion: str, row: Mapping[str, Any]) -> dict[str, Any]:
    model = row.get("reward_model") or {}
    truth = row["ground_truth"] if "ground_truth" in row else model.get("ground_truth")
    if truth is None:
        raise ValueError(f"no column with the truth; the data set has {sorted(row)}")
    return {"data_source": row.get("data_source", "user"), "solution_str": completion, "ground_truth": _truth(truth),
            "extra_info": row.get("extra_info") or {}}


def _total(record: Score) -> Optional[float]:
    if "error" in record:
        raise ValueError(record["error"])
    return None if record.get("unscored") else float(record["total"])
