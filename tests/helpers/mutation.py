"""Reproducible damage to YAML and JSON trees and to bytes."""

import copy
import random
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[Any, ...]

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
"""Values that a file can hold by mistake or malice."""


def key_paths(tree: Any, prefix: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the key path of everything in a tree of mappings and lists."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in entries:
        yield (*prefix, key)
        if isinstance(value, dict | list):
            yield from key_paths(value, (*prefix, key))


def parent(tree: Any, path: KeyPath) -> Any:
    """Return the mapping or list that holds the last key of a path."""
    for key in path[:-1]:
        tree = tree[key]
    return tree


def mutated(tree: Any, rng: random.Random) -> tuple[Any, list[KeyPath]]:
    """Damage one entry of a copy of a tree; return the copy and the key paths that changed."""
    tree = copy.deepcopy(tree)
    known = list(key_paths(tree))
    path = rng.choice(known)
    holder, key = parent(tree, path), path[-1]
    kind = rng.choice(("drop", "misspell", "move", "wrap", *["replace"] * 4))
    if kind == "drop":
        del holder[key]
        return tree, [path]
    if kind == "misspell" and isinstance(key, str) and isinstance(holder, dict):
        letters = list(key)
        index = rng.randrange(len(letters) + 1)
        letters[index:index] = rng.choice("xyz _-.☀")
        misspelt = "".join(letters)
        holder[misspelt] = holder.pop(key)
        return tree, [path, (*path[:-1], misspelt)]
    if kind == "move":
        targets = [p for p in known if isinstance(parent(tree, p), dict) and p[: len(path)] != path]
        if targets and isinstance(key, str):
            target = rng.choice(targets)
            value = holder.pop(key)
            parent(tree, target)[key] = value
            return tree, [path, (*target[:-1], key)]
    if kind == "wrap":
        holder[key] = [holder[key]] if rng.random() < 0.5 else {"within": holder[key]}
        return tree, [path]
    holder[key] = copy.deepcopy(rng.choice(RUBBISH))
    return tree, [path]


def damaged(content: bytes, rng: random.Random, first: int = 0) -> bytes:
    """Damage bytes from an offset on: flip a bit, overwrite, cut off the end, or zero a range."""
    kind = rng.choice(("flip", "flip", "burst", "cut", "zeros"))
    offset = rng.randrange(first, len(content))
    changed = bytearray(content)
    if kind == "flip":
        changed[offset] ^= 1 << rng.randrange(8)
    elif kind == "burst":
        for index in range(offset, min(offset + 16, len(content))):
            changed[index] = rng.randrange(256)
    elif kind == "zeros":
        changed[offset : offset + 64] = bytes(len(changed[offset : offset + 64]))
    else:
        del changed[offset:]
    return bytes(changed)
