"""Deterministic damage: to mappings as YAML and JSON give them, and to bytes."""

import copy
import random
from collections.abc import Iterator
from typing import Any

Path = tuple[Any, ...]

RUBBISH: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    -(10**30),
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "many words",
    "quo'te \" both",
    "a; touch executed",
    "$(touch executed)",
    "`touch executed`",
    "two\nlines",
    "nul\x00byte",
    "Sönne ☀ 太陽",
    "{year}",
    "x" * 5000,
    "../outside",
    "nan",
    "2012-13-45",
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {1: 2},
    {"kind": "ddpm"},
)
"""Values that somebody's file holds one day."""


def places(tree: Any, at: Path = ()) -> Iterator[Path]:
    """List the paths of everything in a tree of mappings and lists."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in entries:
        yield (*at, key)
        if isinstance(value, dict | list):
            yield from places(value, (*at, key))


def parent(tree: Any, path: Path) -> Any:
    """Give what holds the end of a path."""
    for key in path[:-1]:
        tree = tree[key]
    return tree


def mutated(tree: Any, rng: random.Random) -> tuple[Any, list[Path]]:
    """Damage a tree in one place; give it with the paths that changed."""
    tree = copy.deepcopy(tree)
    known = list(places(tree))
    path = rng.choice(known)
    holder, key = parent(tree, path), path[-1]
    kind = rng.choice(("drop", "misspell", "move", "wrap", *["replace"] * 4))
    if kind == "drop":
        del holder[key]
        return tree, [path]
    if kind == "misspell" and isinstance(key, str) and isinstance(holder, dict):
        letters = list(key)
        at = rng.randrange(len(letters) + 1)
        letters[at:at] = rng.choice("xyz _-.☀")
        wrong = "".join(letters)
        holder[wrong] = holder.pop(key)
        return tree, [path, (*path[:-1], wrong)]
    if kind == "move":
        mappings = [
            p for p in known if isinstance(parent(tree, p), dict) and p[: len(path)] != path
        ]
        if mappings and isinstance(key, str):
            there = rng.choice(mappings)
            value = holder.pop(key)
            parent(tree, there)[key] = value
            return tree, [path, (*there[:-1], key)]
    if kind == "wrap":
        holder[key] = [holder[key]] if rng.random() < 0.5 else {"within": holder[key]}
        return tree, [path]
    holder[key] = copy.deepcopy(rng.choice(RUBBISH))
    return tree, [path]


def damaged(content: bytes, rng: random.Random, first: int = 0) -> bytes:
    """Damage bytes from some place on: some of them changed, the end cut off, a stretch zeroed."""
    kind = rng.choice(("flip", "flip", "burst", "cut", "zeros"))
    at = rng.randrange(first, len(content))
    changed = bytearray(content)
    if kind == "flip":
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == "burst":
        for place in range(at, min(at + 16, len(content))):
            changed[place] = rng.randrange(256)
    elif kind == "zeros":
        changed[at : at + 64] = bytes(len(changed[at : at + 64]))
    else:
        del changed[at:]
    return bytes(changed)
