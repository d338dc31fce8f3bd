"""The Markov chain of SGD: exact laws, escape times and sampled paths."""

from descent.markov.epoch_potential import reshuffled_quasi_potential
from descent.markov.escape import escape_curve, escape_probability
from descent.markov.heavy_ball import (
    log_mean_momentum_time,
    momentum_escape_curve,
    momentum_passage_times,
)
from descent.markov.intervals import reachable_interval
from descent.markov.laws import laws, quasi_stationary
from descent.markov.passage import log_mean_first_passage_time, mean_first_passage_time
from descent.markov.refined_clouds import ToleranceError
from descent.markov.reshuffling import (
    log_mean_reshuffled_time,
    reshuffled_escape_curve,
    reshuffled_passage_times,
    reshuffled_reach,
)
from descent.markov.sampling import first_passage_times, gradient_descent, simulate
from descent.markov.transfer_operator import TransferOperator

__all__ = [
    "ToleranceError",
    "TransferOperator",
    "escape_curve",
    "escape_probability",
    "first_passage_times",
    "gradient_descent",
    "laws",
    "log_mean_first_passage_time",
    "log_mean_momentum_time",
    "log_mean_reshuffled_time",
    "mean_first_passage_time",
    "momentum_escape_curve",
    "momentum_passage_times",
    "quasi_stationary",
    "reachable_interval",
    "reshuffled_escape_curve",
    "reshuffled_passage_times",
    "reshuffled_quasi_potential",
    "reshuffled_reach",
    "simulate",
]
