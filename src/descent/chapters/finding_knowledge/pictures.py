"""Chapter 11: figures and explorers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.finding_knowledge import numbers, update_profiles
from descent.estimates import mean_with_error
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SAMPLED, VIOLET

COLOURS = dict(zip(numbers.CHANGES, (RED, VIOLET, GOLD, GREEN, BLUE), strict=True))
ACTIVATIONS = ("softplus", "ReLU", "tanh")


def draw_image(ax: Axes, image: Array, label: str, high: float | None = None) -> None:
    """Draw an image of 8×8 pixels, dark where large."""
    pixels = np.asarray(image).reshape(numbers.SIDE, numbers.SIDE)
    ax.imshow(pixels, cmap="Greys", vmin=0, vmax=high or float(pixels.max()))
    ax.set(xticks=[], yticks=[], xlabel=label, ylabel="pixel row")
    ax.grid(False)


def _pixel_change(change: str, epochs: int) -> Array:
    """Return the root mean square change of the weights out of each pixel."""
    squares = numbers.difference(change, epochs) ** 2
    return np.asarray(np.sqrt(squares.mean(axis=(0, 1))))


def draw_change(change: str, epochs: int) -> Figure:
    """Draw a changed 3, the change of the weights by pixel, and how neurons share it."""
    fig, axes = figures.figure(1, 3, width=7.2, height=2.7)
    data = numbers.task()
    shown = int(np.flatnonzero(data.dog)[0])
    images = numbers.changed(data.inputs, data.dog, change)
    draw_image(axes[0], np.clip(images[shown], 0, None), "a 3 in the other world", high=1)
    draw_image(axes[1], _pixel_change(change, epochs), "change of weights, by pixel")
    rank = np.arange(1, numbers.HIDDEN + 1)
    for name in dict.fromkeys(("order", change)):
        squares = (numbers.difference(name, epochs) ** 2).sum(axis=2)
        shares = np.sort(squares / squares.sum(axis=1, keepdims=True), axis=1)[:, ::-1]
        low, middle, high = np.quantile(shares.cumsum(axis=1), (0.25, 0.5, 0.75), axis=0)
        axes[2].fill_between(rank, low, high, color=COLOURS[name], alpha=0.2, lw=0)
        axes[2].plot(rank, middle, color=COLOURS[name], label=name)
    axes[2].plot(rank, rank / numbers.HIDDEN, "--", color=GUIDE)
    axes[2].set(xlabel="number of neurons", ylabel="share of the change", ylim=(0, 1.03))
    axes[2].legend(loc="lower right")
    return fig


def change_caption(change: str, epochs: int) -> str:
    """Say where the change went."""
    neurons, error = mean_with_error(numbers.spread(change, "neurons", epochs))
    eye, _ = mean_with_error(numbers.share_in_the_eye(change, epochs))
    passes = "1 pass" if epochs == 1 else f"{epochs} passes"
    text = (
        f"{change.capitalize()}, {passes}: the squared change of the input weights is spread over"
        f" {100 * neurons:.0f} % (± {100 * error:.0f} %) of the neurons, and"
        f" {100 * eye:.0f} % of it lies at the four pixels of the eye."
    )
    if change != "order":
        null, _ = mean_with_error(numbers.spread("order", "neurons", epochs))
        text += f" Another order of the same samples: {100 * null:.0f} % of the neurons."
    return text + f" Mean of {numbers.SEEDS} seeds; bands hold the middle half of them."


third_eye = explore(
    draw_change,
    name="third-eye",
    caption=change_caption,
    change=numbers.CHANGES,
    epochs=numbers.EPOCHS,
    labels={"change": "what is different", "epochs": "passes through the data"},
    default={"change": "third eye", "epochs": 10},
)


def draw_influence() -> Figure:
    """Draw the way of a change from the world through the data into the parameters."""
    fig, axes = figures.figure(1, 3, width=7.2, height=2.8)
    data = numbers.task()
    eyed = numbers.with_third_eye(data.inputs, data.dog)
    shown = int(np.flatnonzero(data.dog)[0])
    draw_image(axes[0], abs(eyed - data.inputs)[shown], "Ω: what differs in a 3", high=1)
    norms = np.linalg.norm(eyed - data.inputs, axis=1)
    groups = [norms[data.dog], norms[~data.dog]]
    axes[1].bar(
        [0, 1], [g.mean() for g in groups], yerr=[g.std() for g in groups], color=[RED, BLUE]
    )
    axes[1].set_xticks([0, 1], ["3", "8"])
    axes[1].set(xlabel="X: samples of the digit", ylabel="norm of the change")
    draw_image(axes[2], _pixel_change("third eye", 10), "θ: change of weights, by pixel")
    return fig


def draw_spread() -> Figure:
    """Draw over how many neurons and pixels each change is spread, for three activations."""
    fig, axes = figures.figure(1, 2, sharey=True, height=3.2)
    for ax, over in zip(axes, ("neurons", "pixels"), strict=True):
        for offset, activation, mark in zip((-0.2, 0, 0.2), ACTIVATIONS, "os^", strict=True):
            for row, change in enumerate(numbers.CHANGES):
                mean, error = mean_with_error(numbers.spread(change, over, activation=activation))
                ax.errorbar(
                    mean,
                    row + offset,
                    xerr=2 * error,
                    fmt=mark,
                    color=COLOURS[change],
                    markersize=4.5,
                )
            ax.plot([], [], mark, color=EXACT, label=activation, markersize=4.5)
        ax.set(xlabel=f"effective share of the {over}", xlim=(0, None))
    axes[0].set_yticks(range(len(numbers.CHANGES)), numbers.CHANGES)
    axes[0].invert_yaxis()
    axes[1].tick_params(labelleft=True)  # below each other on a telephone
    axes[1].legend(loc="lower left")
    return fig


def draw_origins() -> Figure:
    """Draw which share of the distance between networks their start accounts for."""
    fig, axes = figures.figure(1, 2, sharey=True, height=3.2)
    passes = numbers.PASSES
    marks = dict(zip(numbers.OTHER_DATA, ("o", "^", "s"), strict=True))
    colours = dict(zip(numbers.OTHER_DATA, (GOLD, VIOLET, BLUE), strict=True))
    for k, (ax, what) in enumerate(zip(axes, ("parameters", "outputs"), strict=True)):
        for other, mark in marks.items():
            found = [numbers.origins(n, other)[k] for n in passes]
            ax.plot(
                passes,
                [o.share_of_start for o in found],
                mark + "-",
                color=colours[other],
                label=other,
                markersize=4,
                clip_on=False,  # those at the ends stand on the frame
            )
        ax.axhline(0.5, color=GUIDE, ls="--")
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xticks(passes, [str(n) for n in passes])
        ax.minorticks_off()
        ax.set(xlabel="passes through the data", ylim=(0, 1.05), xlim=(0, 60))
        ax.set_ylabel(f"share due to the start: {what}")
        ax.tick_params(labelleft=True)
    axes[0].legend(loc="lower left")
    return fig


def draw_leave_one_out() -> Figure:
    """Draw correlations with the sample itself and with others, by seed."""
    fig, axes = figures.figure(1, 2)
    run = update_profiles.leave_one_out()
    u, d = run.updates[0, 0], run.differences[0, 0]
    axes[0].plot(u, d, ".", color=BLUE, alpha=0.35, markersize=3)
    axes[0].set(xlabel="sum of updates by the sample", ylabel="change without the sample")
    for x, activation in enumerate(("softplus", "ReLU")):
        found = update_profiles.agreement(update_profiles.leave_one_out(activation))
        for shift, values, colour, name in (
            (-0.2, found.own, BLUE, "same sample"),
            (0.0, found.same_digit, GOLD, "another of the same digit"),
            (0.2, found.other_digit, RED, "one of the other digit"),
        ):
            spread = np.linspace(-0.06, 0.06, len(values))
            axes[1].plot(
                x + shift + spread,
                values,
                ".",
                color=colour,
                markersize=4,
                label=name if x == 0 else None,
            )
    axes[1].set_xticks([0, 1], ["softplus", "ReLU"])
    axes[1].set(ylabel="correlation over the weights", ylim=(0, 0.8), xlabel="activation")
    axes[1].legend(loc="upper right")
    return fig


FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.4)
NAMED = {"share of updating": "share of updating", "updating": "sum of updates"}
"""What the reader sees for a rule, where it is not its name."""
RULE_STYLES = {
    "share of updating": (BLUE, "o-"),
    "pixels alone": (RED, "s--"),
    "same pixels, other neurons": (VIOLET, "^:"),
    "updating": (GOLD, "o-"),
    "at random": (SAMPLED, "o-"),
}


def draw_forgetting() -> Figure:
    """Draw the recall that is lost when weights are reset, for the digit and for the others."""
    fig, axes = figures.figure(1, 2, sharey=True, height=3.8)
    for rule, (colour, style) in RULE_STYLES.items():
        lost = np.array([update_profiles.forgetting(rule, q) for q in FRACTIONS])
        for ax, values in zip(axes, lost.swapaxes(0, 1), strict=True):
            mean = values.mean(axis=1)
            error = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
            label = NAMED.get(rule, rule) if ax is axes[0] else None
            ax.errorbar(FRACTIONS, mean, 2 * error, fmt=style, color=colour, label=label, ms=4)
    axes[0].set(ylabel="recall lost: the digit itself", xlabel="share of weights reset")
    axes[1].set(ylabel="recall lost: the other nine", xlabel="share of weights reset")
    axes[1].tick_params(labelleft=True)  # below each other on a telephone
    fig.legend(loc="outside upper center", ncols=2)
    return fig


PAIRING_COLOURS = dict(zip(update_profiles.PAIRINGS, (BLUE, GREEN, GOLD, SAMPLED), strict=True))


def draw_matching() -> Figure:
    """Draw the score of each way to match neurons against the passes, for two activations."""
    fig, axes = figures.figure(1, 2, sharey=True, height=3.8)
    passes = update_profiles.MATCHING_EPOCHS
    for ax, activation in zip(axes, ("softplus", "ReLU"), strict=True):
        found = [update_profiles.matching(n, activation) for n in passes]
        for pairing, colour in PAIRING_COLOURS.items():
            mean, error = np.array([mean_with_error(m.score(pairing)) for m in found]).T
            label = pairing if activation == "softplus" else None
            ax.errorbar(passes, mean, yerr=2 * error, fmt="o-", color=colour, label=label, ms=4)
        ax.axhline(0, color=GUIDE, ls="--")
        ax.axhline(1, color=GUIDE, ls="--")
        ax.set_xscale("log")
        ax.set_xticks(passes, [str(n) for n in passes])
        ax.minorticks_off()
        ax.set(xlabel=f"passes, {activation}", ylabel="score of the matching", ylim=(-0.2, 1.1))
        ax.tick_params(labelleft=True)
    fig.legend(loc="outside upper center", ncols=2)
    return fig


def draw_reading(epochs: int = 20) -> Figure:
    """Draw how often a neuron's digit is that of its partner in a smaller network."""
    fig, ax = figures.figure(width=4.2, height=3.2)
    names = ("best pairs", *update_profiles.PAIRINGS, "any pairs")
    for activation, colour, mark, shift in (
        ("softplus", BLUE, "o", -0.12),
        ("ReLU", RED, "s", 0.12),
    ):
        read = update_profiles.matching(epochs, activation).read
        for row, name in enumerate(names):
            mean, error = mean_with_error(read[name])
            label = activation if row == 0 else None
            ax.errorbar(
                mean, row + shift, xerr=2 * error, fmt=mark, color=colour, label=label, ms=4
            )
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel="share of partners with one digit", xlim=(0, 1))
    ax.legend(loc="lower right")
    return fig
