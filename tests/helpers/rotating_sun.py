"""Frames of the simulated Sun in the order of time."""

import datetime
import functools

import numpy as np

from heliosynth.arrays import DAY_S, Images, Seconds
from heliosynth.config.observations import SimulationConfig
from heliosynth.dataset.scaling import CLIP_DN, scale
from heliosynth.sources.simulated.corona import Corona
from heliosynth.sources.simulated.observatory import simulate_activity, stream


@functools.cache
def rotating_suns(days: int, per_day: int, size_px: int, seed: int = 1) -> tuple[Images, Seconds]:
    """Return scaled frames (N, size_px, size_px) of a Sun that rotates and evolves, and times."""
    settings = SimulationConfig(
        start=datetime.date(2012, 1, 1),
        days=days,
        cadence_minutes=1440 // per_day,
        size_px=size_px,
        flares_per_day=3.0,
    )
    activity = simulate_activity(settings, seed)
    corona = Corona(activity.regions, activity.flares, days, size_px, stream(seed, "corona"))
    moments = np.arange(days * per_day) / per_day
    frames = np.stack([corona.frame(moment) for moment in moments])
    return scale(frames, *CLIP_DN["171A"]), (moments * DAY_S).astype(np.int64)
