"""Asking a server until it answers.

Servers stall, refuse for a while (429, 403) or answer with a web page under status 200, so
every request has a time limit and is repeated with growing pauses.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from heliosynth.errors import InputError

ATTEMPTS = 5
FIRST_PAUSE_S = 5.0
"""Pause before the second attempt; every further one is twice as long."""

_log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


def retry(
    call: Callable[[], Answer],
    what: str,
    limit_s: float | None = None,
    attempts: int | None = None,
    first_pause_s: float | None = None,
) -> Answer:
    """Call until it answers, with growing pauses.

    Parameters
    ----------
    call
        What to do; it raises an ``OSError`` or ``HTTPException`` where another try may help.
    what
        Its name in messages, which tells where the answer should come from.
    limit_s
        Time limit of one attempt, seconds; None leaves it to the call.
    attempts, first_pause_s
        Of :data:`ATTEMPTS` and :data:`FIRST_PAUSE_S` if None.

    Raises
    ------
    InputError
        If no attempt succeeds.
    """
    attempts = ATTEMPTS if attempts is None else attempts
    pause = FIRST_PAUSE_S if first_pause_s is None else first_pause_s
    for attempt in range(1, attempts + 1):
        try:
            return call() if limit_s is None else _within(limit_s, call)
        except (OSError, http.client.HTTPException) as error:
            if attempt == attempts:
                raise InputError(
                    f"{what}: no good answer in {attempts} attempts, last {error!r}; "
                    "run again later, what was fetched is kept"
                ) from error
            _log.warning("%s: %r; attempt %d in %.0f s", what, error, attempt + 1, pause)
            time.sleep(pause)
            pause *= 2
    raise ValueError("attempts must be at least 1")


def _within(limit_s: float, call: Callable[[], Answer]) -> Answer:
    """Give up on a call after a time; it is left to end by itself."""
    outcome: list[tuple[Answer | None, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((call(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise TimeoutError(f"no answer within {limit_s:.0f} s")
    answer, error = outcome[0]
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
