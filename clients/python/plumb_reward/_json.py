"""Items as JSON: what data frames and cut completions hold must not refuse a whole batch."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping

from .errors import RewardServerError


def encode(value: Any, name: str) -> bytes:
    """`value` as UTF-8 JSON. Arrays and scalars of NumPy become lists and numbers. NaN and infinities (a data frame's
    empty cells) become null, halves of characters "?". ValueError says `name` and why: it is no JSON at all, or nested
    too deeply."""
    try:
        try:
            return _dumps(value)
        except ValueError:
            return _dumps(_clean(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} cannot be sent as JSON: {error}") from error


def decode(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RewardServerError(f"the server's answer is no JSON: {text[:200]!r}") from error


def _dumps(value: Any) -> bytes:
    return json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r:.80} is not JSON")


def _clean(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(entry) for entry in value]
    return _clean(value.tolist()) if hasattr(value, "tolist") else value
