"""What an idea of source 002 is: what it says, what makes it, and what it was tried with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from descent.arguments import check_count
from descent.zeroth_order.base import ZerothOrder, check_params
from descent.zeroth_order.driven import Driven
from descent.zeroth_order.population import Population

Kind = Literal["estimator", "walk", "wrapper", "population", "tensors"]
Setting = Mapping[str, Any]
"""Options by name."""


@dataclass(frozen=True)
class Line:
    """A line of source 002.

    Parameters
    ----------
    heading : str
        What this book sorts it under; the source has lost its headings.
    words : str
        The line in our words.
    standard : str
        The field's name for it.
    base : str
        The slug of the idea that this one is to improve; empty where nothing is raced.
    library : str
        What implements it in `descent.zeroth_order`, where that is not an idea's class.
    cost : str
        Evaluations per step, where they are not those of the ideas that read the line.
    note : str
        Where it is not raced: why, and what is shown in place of a race.
    """

    heading: str
    words: str
    standard: str
    base: str = ""
    library: str = ""
    cost: str = ""
    note: str = ""


@dataclass(frozen=True)
class Trials:
    """The options that are tried for an idea, and those that were best on tuning problems.

    Parameters
    ----------
    tried : dict of sequences
        The values that are tried for each option, in all combinations.
    landscape, network : dict
        The best setting on smooth landscapes and on networks.
    """

    tried: Mapping[str, Sequence[Any]]
    landscape: Setting
    network: Setting


@dataclass(frozen=True)
class Idea:
    """One idea of source 002, or a base that the source compares with.

    Parameters
    ----------
    slug : str
        Its key in `REGISTRY`.
    name : str
        What the reader sees.
    method : type
        The class that implements it.
    kind : {"estimator", "walk", "wrapper", "population", "tensors"}
        What sort of method it is; "tensors" if it is none, but what parameters may be.
    cost : str
        Evaluations per step, with n directions, particles or rates; "more" than those of the
        `RandomGrad` that it wraps. Some ask for one more at the start.
    line : Line or str, optional
        The line of the source, or the slug of the idea whose line this is another reading of.
        None for a base, which the source takes for granted.
    trials : Trials, optional
        None if it is not raced.
    made : callable, optional
        From the class to what builds the method around others or inside of them.
    options : dict
        Defaults of this idea where they are not those of its class.
    own_starts : bool
        Whether each member of the population begins at a start of its own.
    """

    slug: str
    name: str
    method: type[Any]
    kind: Kind
    cost: str
    line: Line | str | None = None
    trials: Trials | None = None
    made: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    options: Setting = field(default_factory=dict)
    own_starts: bool = False

    @property
    def build(self) -> Callable[..., Any]:
        """What makes it: ``build(params, generator=…, **options)``; a population, of its start."""
        make: Callable[..., Any] = self.made(self.method) if self.made else self.method
        return partial(make, **self.options)

    @property
    def told(self) -> Literal["values", "residuals"]:
        """What it is told at a point: the loss, or residuals whose half squares sum to it."""
        return "residuals" if getattr(self.method, "residuals", False) else "values"

    def optimizer(self, params: Iterable[Tensor], seed: int, **options: Any) -> ZerothOrder:
        """Return the idea as an optimizer of parameters; populations are driven."""
        check_count("seed", seed)
        if self.kind == "population":
            return Driven(params, lambda start: self.population(start, seed, **options))
        generator = torch.Generator().manual_seed(seed)
        built: ZerothOrder = self.build(check_params(params), generator=generator, **options)
        return built

    def population(self, start: ArrayLike, seed: int, **options: Any) -> Population:
        """Return a population by ask and tell."""
        check_count("seed", seed)
        if self.kind != "population":
            raise ValueError(f"this idea is no population but one {self.kind}; use optimizer")
        made: Population = self.build(start, generator=np.random.default_rng(seed), **options)
        return made
