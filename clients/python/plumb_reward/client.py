"""A connection to a plumb reward-server: starts one if none runs, and asks it for scores."""

from __future__ import annotations

import atexit
import http.client
import json
import os
import shutil
import subprocess
import threading
import urllib.parse
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

Item = Mapping[str, Any]
Score = dict[str, Any]


class RewardServerError(RuntimeError):
    """The server cannot be started or reached, or refused a request; never a property of a completion."""


class RewardClient:
    """Asks for scores over HTTP. Safe to use from many threads: each has its own connection.

    `url` defaults to $PLUMB_REWARD_URL; without either, `binary` (default $PLUMB_BINARY, else `plumb` on the path) is
    started as a reward-server with `arguments` and ended with this process. `token` defaults to $PLUMB_REWARD_TOKEN.
    """

    def __init__(self, url: Optional[str] = None, *, token: Optional[str] = None, binary: Optional[str] = None,
                 arguments: Sequence[str] = (), timeout_s: float = 300.0) -> None:
        self._token = token if token is not None else os.environ.get("PLUMB_REWARD_TOKEN", "")
        self._timeout_s = timeout_s
        self._local = threading.local()
        self._process: Optional[subprocess.Popen[str]] = None
        url = url or os.environ.get("PLUMB_REWARD_URL") or self._start(binary, arguments)
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise RewardServerError(f"url: expected http://host:port, found {url!r}")
        self._host, self._port = parts.hostname, parts.port or 80

    def score(self, items: Iterable[Item]) -> list[Score]:
        """The scores of `items`, in their order; `total` is None where one is unscored."""
        items = list(items)
        scores: list[Optional[Score]] = [None] * len(items)
        if items:
            for line in self._lines("/v1/score", {"items": items}):
                scores[line["index"]] = line["result"]
        missing = [index for index, score in enumerate(scores) if score is None]
        if missing:
            raise RewardServerError(f"the server gave no score for {len(missing)} of {len(items)} items")
        return [score for score in scores if score is not None]

    def close(self) -> None:
        """Ends the server, if this client started it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)  # it finishes what is being judged
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def __enter__(self) -> "RewardClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, binary: Optional[str], arguments: Sequence[str]) -> str:
        path = binary or os.environ.get("PLUMB_BINARY") or shutil.which("plumb")
        if path is None:
            raise RewardServerError("no server and no plumb binary: set PLUMB_REWARD_URL or PLUMB_BINARY")
        self._process = subprocess.Popen([path, "reward-server", *arguments], stdout=subprocess.PIPE, text=True)
        atexit.register(self.close)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            raise RewardServerError(f"{path} reward-server did not start; its own words stand above")
        return line.removeprefix("listening on ").strip()

    def _lines(self, path: str, body: Any) -> Iterator[dict[str, Any]]:
        data = json.dumps(body).encode()
        response = self._ask(path, data)
        if response.status != 200:
            text = response.read().decode(errors="replace").strip()
            raise RewardServerError(f"{path}: {response.status} {text}")
        for line in response.read().splitlines():
            yield json.loads(line)

    def _ask(self, path: str, data: bytes) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for last_try in (False, True):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
                self._local.connection = connection
            try:
                connection.request("POST", path, data, headers)
                return connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                # A kept connection may have been closed meanwhile: once more on a new one. Scores repeat, so asking
                # twice is harmless.
                connection.close()
                self._local.connection = None
                if last_try:
                    raise RewardServerError(f"http://{self._host}:{self._port}{path}: {error}") from error
        raise AssertionError("not reached")


_shared: Optional[RewardClient] = None
_shared_lock = threading.Lock()


def shared_client() -> RewardClient:
    """One client for the process, made when it is first asked for."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = RewardClient()
        return _shared
