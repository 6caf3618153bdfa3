"""A connection to a plumb reward-server: starts one if none runs, and asks it for scores."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
import urllib.parse
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

from ._json import decode, encode
from ._server import ServerProcess
from .errors import RewardServerError

Item = Mapping[str, Any]
Score = dict[str, Any]

_REQUEST_ITEMS = 1024  # the server takes 4,096 items and 16 MiB at once
_REQUEST_BYTES = 8 << 20


class RewardClient:
    """Asks for scores over HTTP. Safe to use from many threads and after a fork: each has a connection of its own.

    `url` defaults to $PLUMB_REWARD_URL; without either, `binary` (default $PLUMB_BINARY, else `plumb` on the path) is
    started as a reward-server with `arguments` and ends with this process, however that ends. `token` defaults to
    $PLUMB_REWARD_TOKEN. `timeout_s`: of silence of the server, and of a queue that stays full.
    """

    def __init__(self, url: Optional[str] = None, *, token: Optional[str] = None, binary: Optional[str] = None,
                 arguments: Sequence[str] = (), timeout_s: float = 300.0) -> None:
        self._token = token if token is not None else os.environ.get("PLUMB_REWARD_TOKEN", "")
        self._timeout_s = timeout_s
        self._local = threading.local()
        self._server: Optional[ServerProcess] = None
        url = url or os.environ.get("PLUMB_REWARD_URL")
        if not url:
            self._server = ServerProcess(binary, arguments)
            url = self._server.url
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise RewardServerError(f"url: expected http://host:port, found {url!r}")
        self._host, self._port = parts.hostname, parts.port or 80

    def score(self, items: Iterable[Item]) -> list[Score]:
        """The scores of `items`, in their order; `total` is None where one is unscored. Any number of items; they are
        sent in requests of a size that the server takes."""
        encoded = [encode(item, f"item {index}") for index, item in enumerate(items)]
        scores: list[Optional[Score]] = [None] * len(encoded)
        for first, last in _requests(encoded):
            self._score_range(encoded, first, last, scores)
        missing = [index for index, score in enumerate(scores) if score is None]
        if missing:
            raise RewardServerError(f"the server gave no score for {len(missing)} of {len(scores)} items")
        return [score for score in scores if score is not None]

    def close(self) -> None:
        """Ends the server, if this client (in this process) started it."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._forget_connection()

    def __enter__(self) -> "RewardClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _score_range(self, encoded: list[bytes], first: int, last: int, scores: list[Optional[Score]]) -> None:
        status, text = self._ask("/v1/score", b'{"items":[' + b",".join(encoded[first:last]) + b"]}")
        if status == 413 and last - first > 1:  # a server with other limits than the usual
            middle = (first + last) // 2
            self._score_range(encoded, first, middle, scores)
            self._score_range(encoded, middle, last, scores)
            return
        if status != 200:
            raise RewardServerError(f"/v1/score: {status} {text.decode(errors='replace').strip()}")
        for line in text.splitlines():
            answer = decode(line)
            scores[first + answer["index"]] = answer["result"]

    def _ask(self, path: str, data: bytes) -> tuple[int, bytes]:
        """Status and body; waits while the server's queue is full."""
        until = time.monotonic() + self._timeout_s
        pause = 0.1
        while True:
            status, text = self._ask_once(path, data)
            if status != 503 or time.monotonic() + pause > until:
                return status, text
            self._forget_connection()  # it may have been the connection that was one too many
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, 5.0)

    def _ask_once(self, path: str, data: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        where = f"http://{self._host}:{self._port}{path}"
        for last_try in (False, True):
            connection = self._connection()
            try:
                try:
                    connection.request("POST", path, data, headers)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it may have answered before it had read all
                response = connection.getresponse()
                return response.status, response.read()
            except TimeoutError as error:
                self._forget_connection()
                raise RewardServerError(f"{where}: no answer for {self._timeout_s} s") from error
            except (OSError, http.client.HTTPException) as error:
                # A kept connection may have been closed meanwhile: once more on a new one. Scores repeat, so asking
                # twice is harmless.
                self._forget_connection()
                if last_try:
                    raise RewardServerError(f"{where}: {error or type(error).__name__}") from error
        raise AssertionError("not reached")

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's. After a fork the parent's is left to the parent: two who read from one socket would get each
        other's answers."""
        if getattr(self._local, "process", None) != os.getpid():
            if getattr(self._local, "connection", None) is not None:
                self._local.connection.close()  # our copy of it
            self._local.process = os.getpid()
            self._local.connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        return self._local.connection

    def _forget_connection(self) -> None:
        if getattr(self._local, "process", None) == os.getpid():
            self._local.connection.close()
        self._local.process = None


def _requests(encoded: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Ranges of `encoded`, each for one request."""
    first, size = 0, 0
    for index, item in enumerate(encoded):
        if index > first and (index - first == _REQUEST_ITEMS or size + len(item) > _REQUEST_BYTES):
            yield first, index
            first, size = index, 0
        size += len(item)
    if first < len(encoded):
        yield first, len(encoded)


_shared: Optional[RewardClient] = None
_shared_lock = threading.Lock()


def shared_client() -> RewardClient:
    """One client for the process, made when it is first asked for."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = RewardClient()
        return _shared


def _renew_lock() -> None:
    global _shared_lock
    _shared_lock = threading.Lock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
