"""Chapter 9: the figures of the compression test that decides."""

from typing import Any

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.chapters.symphonic_losses import digits, digits_forecasts, pictures
from descent.chapters.symphonic_losses.digits_sweeps import (
    CODES,
    CURVES,
    RULES,
    STRENGTHS,
)
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SKY, VIOLET

NAMES = {"inverse_average": "its average, held", "plain": "no constraints"}
COLOUR = dict(zip(CURVES, (BLUE, GREEN, RED, VIOLET), strict=True)) | {"plain": EXACT}
MARKER = dict(zip(CURVES, "o^sD", strict=True)) | {"plain": "v"}
SETTING = {"moments": "moments alone", "noisy": "moments and KL"}
BEYOND = 1.3
"""Where networks that lose more are drawn."""
LOSS = {"batch mean": "mean", "batch covariance": "covariance"}


def plain_name(rule: str) -> str:
    """Return the name of a rule as the reader sees it."""
    return NAMES.get(rule) or pictures.plain_name(rule)


def _dots(ax: Axes, x: Any, y: Any, kept: Any, **style: Any) -> None:
    """Draw a mark a network, filled where it keeps the moments."""
    for mask, face in ((kept, style["color"]), (~kept, "none")):
        ax.plot(x[mask], y[mask], linestyle="none", markersize=4, markerfacecolor=face, **style)


def draw_strengths(table: pandas.DataFrame) -> Figure:
    """Draw the share that is lost against the strength of the constraints, a mark a network."""
    fig, axes = figures.figure(1, 2)
    for ax, (setting, strengths) in zip(axes, STRENGTHS.items(), strict=True):
        for k, rule in enumerate(CURVES):
            lost = [digits_forecasts.errors(table, setting, rule, strength=s) for s in strengths]
            ax.plot(
                strengths, np.median(lost, axis=1), color=COLOUR[rule], label=plain_name(rule),
                linewidth=1,
            )  # fmt: skip
            for strength, each in zip(strengths, lost, strict=True):
                kept = digits_forecasts.keeps(table, setting, rule, strength=strength)
                at = np.full(len(each), strength * 1.12 ** (k - 1.5))
                _dots(ax, at, each, kept, color=COLOUR[rule], marker=MARKER[rule])
        ax.axhline(digits_forecasts.linear(), color=EXACT, linestyle="--", linewidth=1)
        ax.set(xscale="log", xlabel=f"strength $\\lambda$, {SETTING[setting]}", ylim=(0.2, 1.15))
        ax.set(ylabel="share of the variance lost")
    axes[0].legend(loc="upper left", fontsize="small")
    return fig


def draw_race(table: pandas.DataFrame) -> Figure:
    """Draw the share that is lost by each rule at the strength 100, a mark a network."""
    fig, axes = figures.figure(1, 2, height=4.4)
    for ax, setting in zip(axes, STRENGTHS, strict=True):
        for k, rule in enumerate(RULES):
            lost = np.minimum(digits_forecasts.errors(table, setting, rule), BEYOND)
            kept = digits_forecasts.keeps(table, setting, rule)
            colour = COLOUR.get(rule, SKY)
            _dots(ax, lost, np.full(len(lost), k), kept, color=colour, marker="o")
        ax.axvline(digits_forecasts.linear(), color=EXACT, linestyle="--", linewidth=1)
        ax.set(xlabel=f"share lost, {SETTING[setting]}", xlim=(0.25, 1.35))
        ax.set_yticks(range(len(RULES)), [plain_name(rule) for rule in RULES])
        ax.invert_yaxis()
    return fig


def draw_scales(table: pandas.DataFrame) -> Figure:
    """Draw lengths of the gradients under the equal sum, and what each rule's direction follows."""
    fig, (left, right) = figures.figure(1, 2)
    names = [LOSS.get(name, name) for name in digits.LOSSES["moments"]]
    at = np.arange(len(names))
    for k, (rule, colour) in enumerate((("equal_sum", BLUE), ("inverse_gradient_norm", RED))):
        row = digits_forecasts.row(table, "moments", rule)
        height = at + 0.36 * (k - 0.5)
        left.barh(height, row.lengths, 0.34, color=colour, label=plain_name(rule))
        right.barh(height, row.along, 0.34, color=colour)
    left.set(xscale="log", xlabel="length of the gradient, times $\\lambda$")
    right.set(xlabel="cosine with the step's direction", xlim=(-0.2, 1))
    right.axvline(0, color=GUIDE, linewidth=1)
    for ax in (left, right):
        ax.set_yticks(at, names)
        ax.invert_yaxis()
    left.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize="small")
    return fig


def draw_rates(table: pandas.DataFrame) -> Figure:
    """Draw rate and distortion: against the size of the code, and against its nats."""
    fig, (left, right) = figures.figure(1, 2)
    codes = sorted((*CODES, digits.CODE))
    linear = [digits_forecasts.linear(code) for code in codes]
    left.plot(codes, linear, "--", color=EXACT, linewidth=1, label="principal components")
    for rule in ("plain", "equal_sum", "inverse_gradient_norm"):
        lost = [digits_forecasts.errors(table, "moments", rule, code=code) for code in codes]
        at = np.repeat(codes, len(lost[0]))
        colour = GOLD if rule == "plain" else COLOUR[rule]
        left.plot(at, np.ravel(lost), MARKER[rule], color=colour, markersize=3)
        left.plot(codes, np.median(lost, axis=1), color=colour, linewidth=1, label=plain_name(rule))
    left.set(xlabel="numbers of the code", ylabel="share of the variance lost", ylim=(0, 1))
    left.set_xticks(codes, [str(code) for code in codes])
    left.legend(fontsize="small")
    for rule in CURVES:
        points = [
            (nats, lost)
            for strength in STRENGTHS["noisy"]
            for found in [digits_forecasts.row(table, "noisy", rule, strength=strength)]
            for nats, lost in zip(found.kl, found.error, strict=True)
        ]
        right.plot(
            *np.transpose(points), MARKER[rule], color=COLOUR[rule], markersize=4,
            label=plain_name(rule), alpha=0.8,
        )  # fmt: skip
    right.axhline(digits_forecasts.linear(), color=EXACT, linestyle="--", linewidth=1)
    right.set(xlabel="KL divergence of the code (nats)", ylabel="share of the variance lost")
    right.set(ylim=(0, 1.15))
    right.legend(fontsize="small")
    return fig


def forecasts(table: pandas.DataFrame) -> list[tuple[str, bool]]:
    """Return each forecast's words and whether it held."""
    return [(one.words, bool(one.holds(table))) for one in digits_forecasts.FORECASTS]
