"""Checks of all registries, made when the DAG is planned and without importing torch."""

from __future__ import annotations

from heliosynth import registry
from heliosynth.config.evaluation import ENCODERS
from heliosynth.config.models import SAMPLERS, network_kinds
from heliosynth.errors import InputError
from heliosynth.evaluation.metrics import METRICS
from heliosynth.evaluation.statistics import STATISTICS
from heliosynth.figures.registry import check_figures

NETWORK_MODULE = ("TITLE", "DESCRIPTION", "build", "stages")
"""What the module of a network kind defines."""


def check_registries() -> None:
    """Check that whatever a configuration can name is complete.

    Raises
    ------
    InputError
        If a row of a registry is missing, or names what is not defined.
    """
    check_networks()
    check_samplers()
    check_encoders()
    check_metrics()
    check_statistics()
    check_figures()


def check_networks() -> None:
    """Check that every network kind has its module and its row.

    Raises
    ------
    InputError
        If a kind of the configuration lacks a row in ``heliosynth.models.NETWORKS``, its module,
        or a part of it.
    """
    rows = registry.keys("heliosynth.models:NETWORKS")
    for kind in network_kinds():
        if kind not in rows:
            raise InputError(f"network kind {kind!r}: no row in heliosynth.models.NETWORKS; add it")
        for name in NETWORK_MODULE:
            registry.check(f"heliosynth.models.{kind}:{name}")


def check_samplers() -> None:
    """Check that every sampler of the configuration is a function.

    Raises
    ------
    InputError
        If ``heliosynth.diffusion.samplers`` does not define one.
    """
    for name in SAMPLERS:
        registry.check(f"heliosynth.diffusion.samplers:{name}")


def check_encoders() -> None:
    """Check that every encoder of the configuration is a function.

    Raises
    ------
    InputError
        If ``heliosynth.evaluation.encoders`` does not define one.
    """
    for name in ENCODERS:
        registry.check(f"heliosynth.evaluation.encoders:{name}")


def check_metrics() -> None:
    """Check that every metric has its function.

    Raises
    ------
    InputError
        If the function of a row of ``heliosynth.evaluation.metrics.METRICS`` does not exist.
    """
    for metric in METRICS.values():
        registry.check(metric.function)


def check_statistics() -> None:
    """Check that every physical statistic has its function.

    Raises
    ------
    InputError
        If the function of a row of ``heliosynth.evaluation.statistics.STATISTICS`` does not exist.
    """
    for statistic in STATISTICS.values():
        registry.check(statistic.function)
