"""Counts of what a reader takes from its input files, and of what it leaves out."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ReadingReport:
    """What a reader took from its input files, and what it left out and why.

    Attributes
    ----------
    files
        Files that were read.
    read
        Rows, samples or frames that were kept.
    left_out
        Number of those that were left out, by reason.
    examples
        First case of each reason that has one, as ``file: value``.
    """

    files: int = 0
    read: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def leave_out(self, reason: str, count: int = 1, example: str = "") -> None:
        """Count what is left out for a reason.

        Parameters
        ----------
        reason
            The reason, as the log and the product show it.
        count
            How many; 0 changes nothing.
        example
            A case, as ``file: value``; the first one of each reason is kept.

        Raises
        ------
        ValueError
            If the count is negative.
        """
        if count < 0:
            raise ValueError(f"count {count} must not be negative")
        if not count:
            return
        self.left_out[reason] = self.left_out.get(reason, 0) + int(count)
        if example:
            self.examples.setdefault(reason, " ".join(example.split()))

    def merge(self, other: ReadingReport) -> None:
        """Add the counts of another report; its examples are kept for new reasons."""
        self.files += other.files
        self.read += other.read
        for reason, count in other.left_out.items():
            self.leave_out(reason, count, other.examples.get(reason, ""))

    def to_json(self) -> dict[str, Any]:
        """Return ``{"files", "read", "left_out": {reason: {"count", "example"}}}``."""
        return {
            "files": self.files,
            "read": self.read,
            "left_out": {
                reason: {"count": count, "example": self.examples.get(reason, "")}
                for reason, count in self.left_out.items()
            },
        }

    def log(self, logger: logging.Logger, subject: str) -> None:
        """Log a warning per reason, with its count and example.

        Parameters
        ----------
        logger
            The logger of the reader.
        subject
            What is counted, such as ``flares``.
        """
        for reason, count in self.left_out.items():
            example = self.examples.get(reason)
            shown = f", such as {example}" if example else ""
            logger.warning("%s left out, %s: %d%s", subject, reason, count, shown)
