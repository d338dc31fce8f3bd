"""Chapter 9: the figures of the compression task."""

from typing import Any

import numpy as np
import pandas
from matplotlib.figure import Figure

from descent import figures
from descent.chapters.symphonic_losses import compression
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SKY, VIOLET

COLOUR = {"five": BLUE, "seven": RED, "means": GOLD}
MARKER = {"five": "o", "seven": "s", "means": "D"}
LOSS_COLOURS = (BLUE, RED, GREEN, GOLD, VIOLET, SKY, EXACT)


def draw_results(frame: pandas.DataFrame) -> Figure:
    """Draw signal-to-noise ratio and covariance error, a row a rule, a mark a seed."""
    fig, (left, right) = figures.figure(1, 2, height=4.6)
    sets = compression.data()
    rows = {rule: -number for number, rule in enumerate(compression.RULES)}
    labels = compression.RULES.values()
    for number, setting in enumerate(compression.SETTINGS):
        part = frame[frame.setting == setting]
        height = part.rule.map(rows) + 0.22 * (1 - number)
        style: dict[str, Any] = {
            "color": COLOUR[setting], "marker": MARKER[setting], "linestyle": "none",
            "markersize": 4, "alpha": 0.8, "label": compression.SETTINGS[setting].label,
        }  # fmt: skip
        left.plot(part.error.map(compression.decibels), height, **style)
        right.plot(part.covariance_error, height, **style)
    for error, name in (
        (sets.mean_image_error, "mean image"),
        (sets.mean_colour_error, "mean colour"),
    ):
        left.axvline(compression.decibels(error), ymin=0.17, color=GUIDE, linewidth=1, zorder=0)
        left.annotate(
            name, (compression.decibels(error), 0.75), ha="center", va="center", fontsize="small"
        )
    floor = 1 / np.sqrt(len(sets.test))
    right.axvline(floor, ymin=0.17, color=GUIDE, linewidth=1, zorder=0)
    right.annotate("normal numbers", (floor, 0.75), ha="left", va="center", fontsize="small")
    names = [name.split(" (")[0].removesuffix(", fixed") for name in labels]
    for ax in (left, right):
        ax.set_yticks(list(rows.values()), names)
        ax.set(ylim=(-len(rows) - 1.6, 1.1))
        ax.legend(loc="lower right")
    left.set(xlabel="signal-to-noise ratio (dB)")
    right.set(xlabel="error of the covariance")
    return fig


def draw_training(trained: compression.Training) -> Figure:
    """Draw the losses and the weights of one training."""
    fig, (left, right) = figures.figure(1, 2)
    for (name, values), weights, colour in zip(
        trained.losses.items(), np.transpose(trained.weights), LOSS_COLOURS, strict=False
    ):
        left.semilogy(values, color=colour, linewidth=1, label=name)
        right.plot(weights, color=colour, linewidth=1)
    left.set(xlabel="step", ylabel="loss (nats per latent number)")
    right.set(xlabel="step", ylabel="weight", ylim=(0, 1))
    left.set_ylim(bottom=3e-4)
    left.legend(fontsize="small", loc="lower center", ncols=2)
    return fig
