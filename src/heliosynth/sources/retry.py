"""Retry of requests to servers, with a time limit per attempt and growing pauses.

Servers stall, reject requests for a while (429, 403) or return a web page with status 200.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from heliosynth.errors import InputError

ATTEMPTS = 5
FIRST_PAUSE_S = 5.0
"""Pause before the second attempt; each further pause is twice as long."""
TEMPORARY = (OSError, http.client.HTTPException)
"""Errors after which another attempt can succeed."""
NOT_FOUND = (FileNotFoundError, NotADirectoryError)
"""Errors after which another attempt cannot succeed, although they are OSErrors."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


def retry(call: Callable[[], T], what: str, limit_s: float | None = None) -> T:
    """Call a function up to :data:`ATTEMPTS` times, and return its result.

    Parameters
    ----------
    call
        The request; it raises one of :data:`TEMPORARY` if another attempt can succeed.
    what
        Name of the request in messages: what is requested, and from where.
    limit_s
        Time limit of one attempt, s; None leaves it to the call.

    Raises
    ------
    InputError
        If no attempt succeeds.
    FileNotFoundError, NotADirectoryError
        From the call, at the first attempt.
    """

    def warn(state: RetryCallState) -> None:
        pause_s = state.next_action.sleep if state.next_action else 0.0
        _log.warning(
            "%s: %r; attempt %d in %.0f s", what, _error(state), state.attempt_number + 1, pause_s
        )

    retrying = Retrying(
        retry=retry_if_exception_type(TEMPORARY) & retry_if_not_exception_type(NOT_FOUND),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_PAUSE_S),
        before_sleep=warn,
        sleep=time.sleep,
    )
    try:
        return retrying(call) if limit_s is None else retrying(_within, limit_s, call)
    except RetryError as error:
        last = error.last_attempt.exception()
        raise InputError(
            f"{what}: no valid answer in {ATTEMPTS} attempts, last {last!r}; "
            "rerun later, what was fetched is kept"
        ) from last


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _within(limit_s: float, call: Callable[[], T]) -> T:
    """Return a call's result, or raise TimeoutError after a time limit.

    The call cannot be stopped: it continues in a daemon thread, and its result is dropped.
    """
    outcome: list[tuple[T, None] | tuple[None, BaseException]] = []

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
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
