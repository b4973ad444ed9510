"""Blocks, commands and names in the documentation, read from its text."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.project import ROOT

PAGES = tuple(
    sorted(
        path
        for pattern in ("*.md", "docs/**/*.md", "benchmarks/**/*.md")
        for path in ROOT.glob(pattern)
    )
)
"""All Markdown files of the project."""
CURRENT = tuple(path for path in PAGES if path.name != "CHANGELOG.md")
"""Those that describe the project as it is."""
COMMENTED = tuple(
    path
    for pattern in ("Snakefile", "Makefile", "*.yaml", "config/*.yaml", "profiles/*/*.yaml")
    for path in sorted(ROOT.glob(pattern))
)
"""Files whose comments contain commands, each on an indented line of its own."""
DOCUMENTED = tuple(
    path
    for pattern in ("src/**/*.py", "workflow/**/*.py", "benchmarks/*.py", "docs/*.py")
    for path in sorted(ROOT.glob(pattern))
)
"""Modules whose docstrings contain commands."""

FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
COMMENT = re.compile(r"(?:^#   +\S.*\\\n)*^#   +\S.*$", re.MULTILINE)
PROGRAM = re.compile(
    r"(?:[A-Z_]+=\S+ )*(snakemake|make|python3?|pytest|bash|source|cp|pip|apt-get|sbatch|scancel|"
    r"git|cd|export|tmux|conda) +\S"
)
"""How a line begins that is a command."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    path, line
        Where it begins.
    language
        The word behind the fence; empty if there is none.
    text
        Its lines.
    """

    path: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}, line {self.line}"

    @property
    def page(self) -> str:
        return str(self.path.relative_to(ROOT))


@dataclass(frozen=True)
class Command:
    """A command as the documentation has it; several lines if it is continued or a block."""

    place: str
    text: str


def blocks() -> list[Block]:
    """Return the fenced blocks of all pages."""
    found = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(path, line, match[2], match[3]))
    return found


def spans(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the code spans of a page outside its blocks, with their lines."""
    text = path.read_text(encoding="utf-8")
    prose = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in SPAN.finditer(prose):
        yield prose.count("\n", 0, match.start()) + 1, " ".join(match[2].split())


def commands() -> list[Command]:
    """Return the commands of blocks, code spans, comments and docstrings."""
    found = []
    for block in blocks():
        if block.language in ("bash", "console"):
            found += [Command(block.place, line) for line in command_lines(block.text)]
    for path in CURRENT:
        for line, text in spans(path):
            if PROGRAM.match(text) and "‹" not in text:
                found.append(Command(f"{path.relative_to(ROOT)}, line {line}", text))
    for path in COMMENTED:
        for match in COMMENT.finditer(path.read_text(encoding="utf-8")):
            text = re.sub(r"^# *", "", match[0], flags=re.MULTILINE)
            found += [
                Command(str(path.relative_to(ROOT)), line)
                for line in command_lines(text)
                if PROGRAM.match(line)
            ]
    for path in DOCUMENTED:
        for text in _docstrings(path):
            indented = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
            quoted = re.findall(r"``(.+?)``", text, re.DOTALL)
            found += [
                Command(str(path.relative_to(ROOT)), " ".join(command.split()))
                for command in (*indented, *quoted)
                if PROGRAM.match(command)
            ]
    return found


def command_lines(text: str) -> list[str]:
    """Return the commands of a shell script: without comments, with continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [" ".join(line.split()) for line in lines if line]


def _docstrings(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
