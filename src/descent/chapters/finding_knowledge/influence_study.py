"""Chapter 11: estimates of influence against exact retraining, of many images and of many groups.

A network of 411 parameters learns to tell three digits. Every image is left out in turn, and so are
random halves of all images, with the same start and the same batches; nothing is approximated.
Each method then says from one training what these trainings would give.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from descent.arguments import Array
from descent.chapters.finding_knowledge.influence_table import (
    ALONE,
    GROUPS,
    METHODS,
    OF_WEIGHTS,
    REMOVED,
)
from descent.networks.attribution import (
    ekfac_changes,
    hessian_changes,
    own_updates,
    tracin,
    trak,
)
from descent.networks.attribution_scores import linear_datamodeling_score, rank_correlations
from descent.networks.digit_images import load_digits8
from descent.networks.retraining import (
    draw_training,
    gradients,
    losses,
    retrain,
)
from descent.networks.unrolled import unrolled_changes

DIGITS = (3, 5, 8)
HIDDEN = 6
HELD_OUT = 60
TARGETS = 15
"""Of the held-out images, those that are to be forgotten."""
BATCH_SIZE = 20
STEP_SIZE = 0.2
WEIGHT_DECAY = 0.01
NETWORKS, DIMENSION = 10, 20
"""Of TRAK: networks, the one that is asked about among them, and projections of each."""
RANDOM_GROUPS = 20
"""Groups of images that are removed for comparison with those that a method names."""


@dataclass(frozen=True)
class Question:
    """One training and the images that it is asked about; all randomness is the seed's."""

    passes: int
    seed: int

    @cached_property
    def images(self) -> tuple[Tensor, NDArray[np.intp]]:
        """Images, shape (180, 64) between 0 and 1, and labels 0, 1, 2; the first 120 are learnt."""
        data = load_digits8()
        kept = np.flatnonzero(np.isin(data.labels, DIGITS))
        chosen = np.random.default_rng([11, self.seed]).permutation(kept)[: ALONE + HELD_OUT]
        pixels = (data.pixels[chosen] + 1.0) / data.levels
        return torch.tensor(pixels), np.searchsorted(DIGITS, data.labels[chosen])

    @cached_property
    def training(self) -> Any:
        """The training with all images."""
        return self.begun(0)

    def begun(self, again: int) -> Any:
        """Return the training from a start of its own, in an order of its own."""
        x, labels = self.images
        return draw_training(
            x[:ALONE],
            torch.tensor(labels[:ALONE]),
            hidden=HIDDEN,
            classes=len(DIGITS),
            passes=self.passes,
            batch_size=BATCH_SIZE,
            step_size=STEP_SIZE,
            weight_decay=WEIGHT_DECAY,
            generator=torch.Generator().manual_seed(1000 * self.seed + again),
        )

    @property
    def floor(self) -> float:
        """The least curvature that a training of this length can tell from none, 1 / Σ η."""
        return 1 / float(self.training.step_sizes.sum())

    @cached_property
    def asked(self) -> tuple[Tensor, Tensor]:
        """The held-out images and their labels."""
        x, labels = self.images
        return x[ALONE:], torch.tensor(labels[ALONE:])

    @cached_property
    def groups(self) -> Array:
        """Which images each half leaves out, shape (GROUPS, ALONE), zeros and ones."""
        draws = np.random.default_rng([12, self.seed]).random((GROUPS, ALONE))
        return (np.argsort(draws, axis=1, kind="stable") < ALONE // 2).astype(float)

    @cached_property
    def balanced(self) -> Array:
        """Such halves that leave out half of the images of each label, rounded down."""
        labels = self.images[1][:ALONE]
        draws = np.random.default_rng([15, self.seed]).random((GROUPS, ALONE))
        found = np.zeros((GROUPS, ALONE))
        for label in range(len(DIGITS)):
            mine = np.flatnonzero(labels == label)
            chosen = np.argsort(draws[:, mine], axis=1, kind="stable")[:, : len(mine) // 2]
            np.put_along_axis(found, mine[chosen], 1.0, axis=1)
        return found

    @cached_property
    def ends(self) -> Tensor:
        """Parameters with all images, without each, and without each half."""
        weights = 1 - np.concatenate([np.zeros((1, ALONE)), np.eye(ALONE), self.groups])
        return retrain(self.training, torch.tensor(weights))

    @cached_property
    def end(self) -> Tensor:
        """The parameters with all images."""
        return self.ends[0]

    def rise(self, ends: Tensor) -> Array:
        """Return by how much the held-out losses are above those with all images, in nats."""
        found = losses(self.training, torch.cat([self.end[None], ends]), *self.asked)
        return np.asarray(found[1:] - found[0])

    @cached_property
    def alone(self) -> Array:
        """The rise of each loss without each image, shape (ALONE, HELD_OUT): what is estimated."""
        return self.rise(self.ends[1 : ALONE + 1])

    @cached_property
    def changes(self) -> dict[str, Tensor]:
        """What leaving out changes in the parameters, or how much they were updated, by method."""
        own = own_updates(self.training)
        shuffled = np.random.default_rng([13, self.seed]).permutation(ALONE)
        return {
            "unrolled": unrolled_changes(self.training),
            "Hessian": hessian_changes(self.training, self.end, self.floor).changes,
            "EK-FAC": ekfac_changes(self.training, self.end, max(self.floor, WEIGHT_DECAY)),
            "own updates": own.sums,
            "tally": own.sizes,
            "another's tally": own.sizes[shuffled],
        }

    @cached_property
    def scores(self) -> dict[str, Array]:
        """What leaving out each image is said to add to each loss, shape (ALONE, HELD_OUT)."""
        x, labels = self.images
        slopes = gradients(self.training, self.end, *self.asked).T
        alike = np.where(labels[:ALONE, None] == labels[ALONE:], 1.0, -1.0)
        unit = x / x.norm(dim=1, keepdim=True)
        other = self.begun(1)
        others = retrain(
            other, torch.tensor(np.concatenate([np.ones((1, ALONE)), 1 - np.eye(ALONE)]))
        )
        there = losses(other, others, *self.asked)
        starts = torch.stack([self.begun(r).start for r in range(1, NETWORKS)])
        more = retrain(self.training, torch.ones(len(starts), ALONE), starts)
        own_loss = losses(self.training, self.end[None], x[:ALONE], self.training.labels)[0]
        found = {
            "leave-one-out": self.alone,
            "another start": there[1:] - there[0],
            **{name: self.changes[name] @ slopes for name in ("unrolled", "Hessian", "EK-FAC")},
            "TRAK": trak(
                self.training,
                torch.cat([self.end[None], more]),
                *self.asked,
                dimension=DIMENSION,
                generator=torch.Generator().manual_seed(self.seed),
            ),
            "TracIn": tracin(self.training, *self.asked),
            "tally": self.changes["tally"] @ slopes.abs(),
            "tally, by label": alike * np.asarray(self.changes["tally"] @ slopes.abs()),
            "another's tally": alike * np.asarray(self.changes["another's tally"] @ slopes.abs()),
            "training loss": alike * np.asarray(own_loss)[:, None],
            "pixels": alike * np.asarray(unit[:ALONE] @ unit[ALONE:].T),
            "label alone": alike,
        }
        return {name: np.asarray(found[name]) for name in METHODS}

    def forgotten(self) -> dict[str, list[list[float]]]:
        """Remove the images that each method names for each target, and train again.

        Returns the mean rise of the targets' losses, by number of removed images and method; the
        last entry is that of random images.
        """
        rng = np.random.default_rng([14, self.seed])
        chance = np.argsort(rng.random((RANDOM_GROUPS, ALONE)), axis=1, kind="stable")
        rises = []
        for count in REMOVED:
            weights = np.ones((len(METHODS), TARGETS, ALONE))
            for score, w in zip(self.scores.values(), weights, strict=True):
                named = np.argsort(-score[:, :TARGETS], axis=0, kind="stable")[:count]
                np.put_along_axis(w.T, named, 0.0, axis=0)
            drawn = (chance >= count).astype(float)
            both = np.concatenate([weights.reshape(-1, ALONE), drawn])
            rise = self.rise(retrain(self.training, torch.tensor(both)))[:, :TARGETS]
            by_method = rise[: -len(drawn)].reshape(len(METHODS), TARGETS, TARGETS)
            own = np.diagonal(by_method, axis1=1, axis2=2).mean(axis=1)
            rises.append([*own.tolist(), float(rise[-len(drawn) :].mean())])
        return {"forgotten": rises}


def correlations(first: Array, second: Array) -> Array:
    """Return the correlation of each row of the first with each of the second."""
    x, y = (v - v.mean(axis=1, keepdims=True) for v in (first, second))
    x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y))
    return np.asarray(x @ y.T)


def of_weights(question: Question) -> dict[str, list[float]]:
    """Compare, over the hidden weights, what each method says with what leaving out changed.

    ``own`` is the mean correlation of sizes, ``better`` the share of other images whose sizes are
    correlated less with the same change.
    """
    moved = (question.ends[1 : ALONE + 1] - question.end).abs()
    hidden = slice(0, HIDDEN * 65)
    own, better = [], []
    for name in OF_WEIGHTS:
        said = question.changes[name].abs()
        r = correlations(np.asarray(said[:, hidden]), np.asarray(moved[:, hidden]))
        mine = np.diagonal(r)
        own.append(float(mine.mean()))
        better.append(float((r < mine).sum() / (r.size - len(r))))
    return {"own": own, "better": better}


def run(passes: int, seed: int) -> dict[str, Any]:
    """Score every method on one training."""
    question = Question(passes, seed)
    halves = question.rise(question.ends[ALONE + 1 :])
    scores, alone = question.scores, question.alone
    here = hessian_changes(question.training, question.end, question.floor)
    held_out = losses(question.training, question.end[None], *question.asked)[0]
    return {
        "rank": [float(rank_correlations(s, alone).mean()) for s in scores.values()],
        "rank_of_sizes": [
            float(np.nanmean(rank_correlations(abs(s), abs(alone)))) if np.ptp(abs(s)) else 0.0
            for s in scores.values()
        ],
        "groups": [
            float(linear_datamodeling_score(s, question.groups, halves).mean())
            for s in scores.values()
        ],
        **question.forgotten(),
        **of_weights(question),
        "damping": here.damping,
        "least_eigenvalue": here.least_eigenvalue,
        "held_out_loss": float(held_out.mean()),
        "rise_alone": float(abs(alone).mean()),
        "rise_of_halves": float(abs(halves).mean()),
    }


def run_other_asked(passes: int, seed: int) -> dict[str, float]:
    """Ask the tally about another image than the one whose losses are compared.

    What is left of its scores tells which images matter at all, and nothing of for whom.
    """
    question = Question(passes, seed)
    order = np.random.default_rng([16, seed]).permutation(HELD_OUT)
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)  # nobody is asked about itself
    slopes = gradients(question.training, question.end, *question.asked).T
    tally = np.asarray(question.changes["tally"] @ slopes.abs())[:, other]
    labels, alone = question.images[1], question.alone
    alike = np.where(labels[:ALONE, None] == labels[ALONE:], 1.0, -1.0)
    ends = retrain(question.training, torch.tensor(1 - question.balanced))
    score = linear_datamodeling_score(alike * tally, question.balanced, question.rise(ends))
    return {
        "rank_of_sizes": float(rank_correlations(tally, abs(alone)).mean()),
        "balanced": float(score.mean()),
        "alike": float((np.sign(alone) == alike).mean()),
    }


def run_balanced(passes: int, seed: int) -> dict[str, Any]:
    """Score every method on balanced halves; 0 where all of its sums are equal."""
    question = Question(passes, seed)
    ends = retrain(question.training, torch.tensor(1 - question.balanced))
    rise = question.rise(ends)
    return {
        "balanced": [
            float(np.nan_to_num(linear_datamodeling_score(s, question.balanced, rise)).mean())
            for s in question.scores.values()
        ],
        "rise_of_balanced": float(abs(rise).mean()),
    }
