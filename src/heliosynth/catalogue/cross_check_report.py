"""Report of the cross-check of the labels, its log, and its limits."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from heliosynth import goes_class
from heliosynth.arrays import Booleans, Floats, Seconds
from heliosynth.catalogue.cross_check import Comparison, iso
from heliosynth.config.dataset import CrossCheckConfig
from heliosynth.errors import InputError

CLASSES = ("C", "M", "X")
"""The classes of the flares that are compared."""

EXAMPLES = 3
"""Largest number of examples in the report: those of the largest flux."""

USUAL_SHARE = 0.9
"""Smallest share of frames in the time of the flare list that needs no warning."""
OTHER_TIME = 0.1
"""A flare list in whose time there is a smaller share of the frames is of another time."""


def report(
    comparison: Comparison, spans: Mapping[str, Any], settings: CrossCheckConfig
) -> dict[str, Any]:
    """Return what the cross-check counts, for JSON.

    Parameters
    ----------
    comparison
        The result of :func:`heliosynth.catalogue.cross_check.compare`.
    spans
        The result of :func:`heliosynth.catalogue.cross_check.spans`.
    settings
        The limits.
    """
    c = comparison
    frames = _count(c.above, settings.frames_above_label)
    frames["examples"] = [
        {
            "time": iso(c.time[n]),
            "label": goes_class.flux_text(c.label_flux[n]),
            "measured": goes_class.flux_text(c.measured_flux[n]),
        }
        for n in _largest(c.above, c.measured_flux / c.label_flux)
    ]
    missing = settings.flares_missing_from_list.model_dump()
    not_measured = settings.flares_not_measured.model_dump()
    everywhere = np.ones(len(c.detected.peak), dtype=bool)
    outside = _count(c.outside, None)
    outside["examples"] = _flares(c.outside, c.peak, c.listed_flux)
    return {
        "window_minutes": c.window_minutes,
        "spans": dict(spans),
        "frames_above_label": frames,
        "flares_missing_from_list": _by_class(
            everywhere, c.unlisted, c.detected.peak, c.detected.flux, missing
        ),
        "flares_not_measured": _by_class(
            c.covered, c.not_measured, c.peak, c.listed_flux, not_measured
        ),
        "flares_outside_light_curve": outside,
        "flux_ratio": {
            "compared": c.compared,
            "median": round(c.flux_ratio, 4) if np.isfinite(c.flux_ratio) else None,
            "limit": settings.flux_ratio,
        },
        "light_curve_later_hours": c.shift_s / 3600,
    }


def log(counts: Mapping[str, Any], logger: logging.Logger) -> None:
    """Log a warning for each kind of disagreement, with its count and examples."""
    for sentence in _sentences(counts):
        logger.warning("%s", sentence)


def check_limits(counts: Mapping[str, Any]) -> None:
    """Check the counts of a report against its limits.

    Raises
    ------
    InputError
        If one is exceeded: with the counts, examples, the probable reason and the way out.
    """
    exceeded = {key: entries for key, all_ in _limited(counts) if (entries := _exceeded(all_))}
    facts = [_fact(key, entries) for key, entries in exceeded.items()]
    ratio, limit = counts["flux_ratio"]["median"], counts["flux_ratio"]["limit"]
    other_scale = ratio is not None and not 1 / limit <= ratio <= limit
    if other_scale:
        facts.append(_ratio_fact(counts["flux_ratio"]))
    if facts:
        keys = [*exceeded, *["flux_ratio"][: int(other_scale)]]
        raise InputError(
            f"flare list and light curve contradict each other: {'; '.join(facts)}. "
            f"{_remedy(counts, other_scale)}; if both are right, raise "
            f"{' and '.join(f'dataset.cross_check.{key}' for key in keys)}"
        )


def _remedy(counts: Mapping[str, Any], other_scale: bool) -> str:
    """Return what is probably wrong, and what to do."""
    spans, shift = counts["spans"], counts["light_curve_later_hours"]
    flares, frames = (_span(spans[name]) for name in ("flares", "frames"))
    if spans["frames_in_time_of_flares"] < OTHER_TIME:
        return (
            f"The flare list ({flares}) is of another time than the frames ({frames}): add a list "
            "of their time"
        )
    if shift:
        way = "late" if shift > 0 else "early"
        return (
            f"They agree if the light curve is {abs(shift):g} h {way}: correct the times of the "
            "one that is not in UTC"
        )
    if other_scale:
        return (
            "A ratio of 1.43 or 0.70 means that true and operational flux are mixed: set "
            "dataset.xrs_csv_scale, and check that the list holds SWPC's classes"
        )
    return (
        f"The flare list ({spans['flares']['n']} flares, {flares}) is incomplete, or one of them "
        "is wrong: fetch the list again, month by month, and look at the light curve at these times"
    )


def _span(span: Mapping[str, Any]) -> str:
    return f"{span['first']} to {span['last']}"


def _limited(counts: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Mapping[str, Any]]]]:
    """Yield the counts that have a limit: their key, and the entry of each class."""
    yield "frames_above_label", {"": counts["frames_above_label"]}
    for key in ("flares_missing_from_list", "flares_not_measured"):
        yield key, counts[key]


def _exceeded(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the counts beyond their limit; one alone is none, unless the limit is 0."""
    return {
        name: entry
        for name, entry in entries.items()
        if entry["count"] > max(entry["limit"] * entry["compared"], entry["limit"] > 0)
    }


def _sentences(counts: Mapping[str, Any]) -> Iterator[str]:
    for key, entries in _limited(counts):
        counted = {name: entry for name, entry in entries.items() if entry["count"]}
        if counted:
            yield _fact(key, counted)
    outside = counts["flares_outside_light_curve"]
    if outside["count"]:
        yield (
            f"{outside['count']} of {outside['compared']} listed flares are where no X-ray flux "
            f"was measured ({_such_as(outside)})"
        )
    if counts["flux_ratio"]["median"] is None:
        yield (
            f"only {counts['flux_ratio']['compared']} flares are both in the list and in the light "
            "curve at a cadence of 10 minutes or less: flux scale and time zone are not checked"
        )
    share = counts["spans"]["frames_in_time_of_flares"]
    if share < USUAL_SHARE:
        yield f"only {share:.0%} of the frames are between the first and the last listed flare"


def _fact(key: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Return counts of one kind with an example of the highest class."""
    texts = {
        "frames_above_label": "frames have a measured flux a class or more above their label",
        "flares_missing_from_list": "flares in the light curve are not in the list",
        "flares_not_measured": "listed flares are not in the light curve",
    }
    numbers = [
        f"{entry['count']} of {entry['compared']}{name and f' {name}'}"
        for name, entry in entries.items()
    ]
    return f"{', '.join(numbers)} {texts[key]} ({_such_as(list(entries.values())[-1])})"


def _ratio_fact(entry: Mapping[str, Any]) -> str:
    return (
        f"the listed peak fluxes are {entry['median']:.2f} times the measured ones (median of "
        f"{entry['compared']} flares)"
    )


def _such_as(entry: Mapping[str, Any]) -> str:
    """Return the examples of an entry."""
    shown = [
        f"{e['time']} {e['class']}"
        if "class" in e
        else f"{e['time']} measured {e['measured']}, label {e['label']}"
        for e in entry["examples"]
    ]
    return "; ".join(shown)


def _by_class(
    compared: Booleans, chosen: Booleans, time: Seconds, flux: Floats, limits: Mapping[str, float]
) -> dict[str, Any]:
    numbers = goes_class.of_flux(flux)
    counts = {}
    for name in CLASSES:
        of_class = compared & (numbers == goes_class.NAMES.index(name))
        counts[name] = _count(chosen[of_class], limits[name])
        counts[name]["examples"] = _flares(chosen & of_class, time, flux)
    return counts


def _count(chosen: Booleans, limit: float | None) -> dict[str, Any]:
    count, compared = int(np.count_nonzero(chosen)), len(chosen)
    entry = {"compared": compared, "count": count, "share": round(count / max(compared, 1), 6)}
    return entry if limit is None else {**entry, "limit": limit}


def _flares(chosen: Booleans, time: Seconds, flux: Floats) -> list[dict[str, str]]:
    rows = _largest(chosen, flux)
    return [{"time": iso(time[n]), "class": goes_class.flux_text(flux[n])} for n in rows]


def _largest(chosen: Booleans, value: Floats) -> list[int]:
    """Return the chosen rows of the largest values, in order of time."""
    rows = np.flatnonzero(chosen)
    return sorted(rows[np.argsort(-value[rows], kind="stable")[:EXAMPLES]].tolist())
