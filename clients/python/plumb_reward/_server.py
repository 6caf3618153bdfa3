"""A reward-server of our own, as a child process."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from typing import Optional, Sequence

from .errors import RewardServerError


class ServerProcess:
    """Runs until stop(), until this process ends, or until it is killed: the server watches its standard input, whose
    other end is ours (and that of processes forked from us, which may go on asking)."""

    def __init__(self, binary: Optional[str], arguments: Sequence[str]) -> None:
        path = binary or os.environ.get("PLUMB_BINARY") or shutil.which("plumb")
        if path is None:
            raise RewardServerError("no server and no plumb binary: set PLUMB_REWARD_URL or PLUMB_BINARY")
        command = [path, "reward-server", "--end-with-input", *arguments]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise RewardServerError(f"{path} cannot be started: {error}") from error
        self._owner = os.getpid()
        atexit.register(self.stop)
        self.url = ""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("listening on http"):
                self.url = line.removeprefix("listening on ").strip()
                break
        if not self.url:
            self.stop()
            raise RewardServerError(f"{path} reward-server did not start; its own words stand above")

    def stop(self) -> None:
        """Ends it, in the process that started it; elsewhere nothing. It finishes what is being judged."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
