"""The recipes of CONTRIBUTING.md, applied to a copy of the project."""

import re
from dataclasses import dataclass
from pathlib import Path

EDIT = re.compile(
    r"`(?P<path>[^`\n]+)`(?: \((?P<new>new)\)|, (?P<where>below|above|instead of) "
    r"`(?P<anchor>[^`\n]+)`|, (?P<end>at the end)):\n\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
"""A file, where its new lines go, and a block with these lines."""


@dataclass(frozen=True)
class Edit:
    """One edit of a recipe: new lines of a file.

    Attributes
    ----------
    path
        The file, relative to the project.
    where
        ``new``, ``below``, ``above``, ``instead of`` or ``at the end``.
    anchor
        The line that `where` refers to, without its indentation.
    text
        The new lines.
    """

    path: str
    where: str
    anchor: str
    text: str

    def apply(self, project: Path) -> None:
        """Apply the edit to a copy of the project."""
        path = project / self.path
        if self.where == "new":
            assert not path.exists(), f"{self.path} exists"
            path.write_text(self.text, encoding="utf-8")
            return
        content = path.read_text(encoding="utf-8")
        # Two blank lines between definitions, which the blocks leave out.
        blank = "\n\n" if path.suffix in (".py", ".smk") else ""
        if self.where == "at the end":
            path.write_text(content + blank + self.text, encoding="utf-8")
            return
        lines = content.splitlines(keepends=True)
        matches = [number for number, line in enumerate(lines) if line.strip() == self.anchor]
        assert len(matches) == 1, f"{self.path}: {len(matches)} lines are {self.anchor!r}"
        start = matches[0] + (self.where == "below")
        stop = start + (self.where == "instead of")
        text = self.text + blank if self.where == "above" else self.text
        lines[start:stop] = text.splitlines(keepends=True)
        path.write_text("".join(lines), encoding="utf-8")


def read_recipes(path: Path) -> dict[str, list[Edit]]:
    """Return the edits of every recipe by its heading."""
    text = path.read_text(encoding="utf-8")
    recipes = text.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### (.+)$", recipes, flags=re.MULTILINE)[1:]
    return {
        heading: [
            Edit(
                path=match["path"],
                where=match["new"] or match["where"] or match["end"],
                anchor=match["anchor"] or "",
                text=match["text"],
            )
            for match in EDIT.finditer(body)
        ]
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }
