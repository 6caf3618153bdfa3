"""Scores from plumb for Python trainers: `CodeReward` and `MathReward` for TRL, `compute_score` for verl."""

from .client import RewardClient
from .errors import RewardServerError
from .rewards import CodeReward, MathReward, compute_score, score

__all__ = ["CodeReward", "MathReward", "RewardClient", "RewardServerError", "compute_score", "score"]
