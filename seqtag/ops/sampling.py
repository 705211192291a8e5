"""Random sequences from a step function, by temperature, top-k and nucleus sampling, all in the graph.

See `seqtag.ops.step_functions` for what a step function is.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import keras
from keras import ops

from seqtag.ops.arguments import check_above_zero, whole_number_or_tensor
from seqtag.ops.hypotheses import Hypotheses, Search
from seqtag.ops.selection import best, take_within
from seqtag.ops.step_functions import IMPOSSIBLE, State, Step

Tensor = Any

# A temperature of zero in a graph is taken for this.
LOWEST_TEMPERATURE = 1e-30
# Symbols are drawn in blocks of so many, where there are more than a few blocks.
_BLOCK = 128


class Samples(NamedTuple):
    """A sequence for each row.

    Attributes:
        symbols: int32 `(batch, steps)`, with `end` from the end of the sequence on.
        lengths: int32 `(batch,)`, the number of symbols before `end`.
        log_probabilities: float32 `(batch,)`, the sum over the symbols and `end` by the step function as it is: at
            temperature one, without restrictions.
        finished: bool `(batch,)`, False where the bound on steps cut the sequence, and where no symbol was possible.
    """

    symbols: Tensor
    lengths: Tensor
    log_probabilities: Tensor
    finished: Tensor


def sample(
    step: Step,
    state: State,
    *,
    batch: Tensor | int,
    start: Tensor | int,
    end: Tensor | int,
    steps: Tensor | int,
    seed: int | keras.random.SeedGenerator | Tensor,
    temperature: Tensor | float = 1.0,
    top_k: Tensor | int | None = None,
    top_p: Tensor | float | None = None,
    forbidden: Tensor | None = None,
) -> Samples:
    """Draws a sequence for each row, symbol by symbol, until `end` or for `steps` steps.

    A symbol s is drawn with the probability p(s)^(1/T) / Z, at the temperature T: below one, likely symbols come more
    often. `restrict` first takes out what `top_k` and `top_p` leave out at this temperature. A row in which no symbol
    is possible has the log-probability `-inf` and the length 0.

    Args:
        step: gives log-probabilities `(batch, vocabulary)` and the next state, from the last symbols `(batch,)` int32
            and the state. It is called for ended rows too, with `end`.
        state: what the first step gets: a nested structure of tensors `(batch, ...)`.
        batch: the number of rows. `seqtag.ops.step_functions.repeat_rows` makes rows for several samples each.
        start: the symbol that the first step reads, one for all or `(batch,)`.
        end: the symbol that ends a sequence.
        steps: the most symbols of a sequence, `end` among them; as in `beam_search`, one number or one for each row.
        seed: a whole number, which gives the same sequences each time on the same backend; or a
            `keras.random.SeedGenerator`, which gives others each time. An integer tensor is a number.
        temperature: T; a tensor of zero takes the best symbols, as the limit does.
        top_k: how many symbols a step draws from; see `restrict`.
        top_p: which share of the probability it draws from; see `restrict`.
        forbidden: bool `(vocabulary,)`, True for symbols that no sequence may have.

    Raises:
        ValueError: `steps` or `top_k` is no whole number above zero, `temperature` or `top_p` is not above
            zero, `top_p` is above 1, or `seed` is nothing of the above. Tensors are not checked.

    Example:
        Symbol 0 ends; the step function counts down.

        >>> table = ops.log(ops.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
        >>> step = lambda symbols, state: (ops.take(table, symbols, axis=0), state)
        >>> samples = sample(step, (), batch=2, start=ops.array([2, 1]), end=0, steps=4, seed=7)
        >>> ops.convert_to_numpy(samples.symbols).tolist(), ops.convert_to_numpy(samples.lengths).tolist()
        ([[1, 0, 0, 0], [0, 0, 0, 0]], [1, 0])
    """
    check_above_zero("temperature", temperature)
    _check_limits(top_k, top_p)
    search = Search.over(step, batch, 1, end, steps, forbidden)
    numbers = keras.random.uniform((search.steps, search.batch), seed=_generator(seed))

    def extend(known: Hypotheses, log_probabilities: Tensor, state: State) -> tuple[Hypotheses, State]:
        log_probabilities = ops.cast(log_probabilities, "float32")
        likely = restrict(_tempered(log_probabilities, temperature), top_k, top_p)
        symbols = _draw(likely, numbers[known.t])
        gained = take_within(log_probabilities, symbols)
        return known.append(symbols, gained, known.scores, search.end), state

    known = search.run(start, state, extend)
    symbols, lengths = search.symbols_of(known)
    return Samples(symbols[:, 0], lengths[:, 0], known.log_probabilities[:, 0], known.finished[:, 0])


def restrict(
    log_probabilities: Tensor, top_k: Tensor | int | None = None, top_p: Tensor | float | None = None
) -> Tensor:
    """Log-probabilities with `-inf` for all but the likeliest symbols; they are not normalised again.

    The nucleus (Holtzman et al. 2020) is the smallest set of the likeliest symbols whose probabilities sum to `top_p`
    or more. With both limits, it is that of the `top_k` likeliest alone, normalised. At least one symbol stays. Of
    equal ones, the lower symbol is likelier.

    Args:
        log_probabilities: `(rows, vocabulary)`; a constant more for all of a row changes nothing.
        top_k: how many symbols stay; None is all, and so is a tensor of zero.
        top_p: which share of the probability stays, up to 1; None is all, and so is 1.

    Raises:
        ValueError: `top_k` is no whole number above zero, or `top_p` is not above zero or above 1. Tensors are not
            checked.

    Example:
        >>> shares = ops.array([[0.5, 0.125, 0.25, 0.125]])
        >>> ops.convert_to_numpy(ops.exp(restrict(ops.log(shares), top_k=2))).tolist()
        [[0.5, 0.0, 0.25, 0.0]]
        >>> ops.convert_to_numpy(ops.exp(restrict(ops.log(shares), top_p=0.8))).tolist()
        [[0.5, 0.125, 0.25, 0.0]]
    """
    _check_limits(top_k, top_p)
    if top_k is None and top_p is None:
        return log_probabilities
    vocabulary = ops.shape(log_probabilities)[-1]
    values, symbols = best(log_probabilities, _at_most(vocabulary, top_k))
    last = _count(values, top_k, top_p)[:, None] - 1
    least, last = take_within(values, last), take_within(symbols, last)
    equal = ops.logical_and(log_probabilities == least, ops.arange(vocabulary, dtype="int32") <= last)
    return ops.where(ops.logical_or(log_probabilities > least, equal), log_probabilities, IMPOSSIBLE)


def _check_limits(top_k: Any, top_p: Any) -> None:
    if top_k is not None:
        whole_number_or_tensor("top_k", top_k)
    if top_p is not None:
        check_above_zero("top_p", top_p, most=1)


def _at_most(vocabulary: Any, top_k: Any) -> Any:
    """How many symbols of a row are sorted: no more than stay, if that is known."""
    if top_k is None or ops.is_tensor(top_k):
        return vocabulary
    return min(top_k, vocabulary) if isinstance(vocabulary, int) else ops.minimum(top_k, vocabulary)


def _count(values: Tensor, top_k: Any, top_p: Any) -> Tensor:
    """How many symbols of each row stay, from 1, `(rows,)`; `values` have the likeliest first."""
    ranks = ops.arange(ops.shape(values)[-1], dtype="int32")
    stay = ops.ones_like(values, "bool")
    if ops.is_tensor(top_k):
        top_k = ops.cast(top_k, "int32")
        stay = ops.logical_and(stay, ops.logical_or(ranks < top_k, top_k < 1))
    if top_p is not None:
        sums = ops.cumsum(ops.exp(ops.where(stay, values, IMPOSSIBLE) - values[:, :1]), axis=-1)
        before = ops.pad(sums, ((0, 0), (1, 0)))[:, :-1]
        # Sums are rounded: a share of 1 may be reached before the last symbol.
        stay = ops.logical_and(stay, ops.logical_or(before < ops.cast(top_p, "float32") * sums[:, -1:], top_p >= 1))
    return ops.maximum(ops.sum(ops.cast(stay, "int32"), axis=-1), 1)


def _tempered(log_probabilities: Tensor, temperature: Tensor | float) -> Tensor:
    """Log-probabilities at a temperature, relative to the likeliest symbol: not normalised, zero at most."""
    highest = ops.max(log_probabilities, axis=-1, keepdims=True)
    relative = log_probabilities - ops.where(highest > IMPOSSIBLE, highest, 0.0)
    if ops.is_tensor(temperature):
        return relative / ops.maximum(ops.cast(temperature, "float32"), LOWEST_TEMPERATURE)
    return relative if temperature == 1 else relative / max(temperature, LOWEST_TEMPERATURE)


def _draw(relative: Tensor, numbers: Tensor) -> Tensor:
    """The symbol of each row at which the sum of the shares passes a number from 0 to 1, `(rows, 1)`.

    Running sums cost twenty times what sums do on a CPU: of many symbols, the block is found first.
    """
    shares = ops.exp(relative)
    rows, vocabulary = ops.shape(shares)
    if not isinstance(vocabulary, int) or vocabulary < 8 * _BLOCK:
        return _pass(shares, numbers[:, None] * ops.sum(shares, axis=-1, keepdims=True))[0]
    shares = ops.reshape(ops.pad(shares, ((0, 0), (0, -vocabulary % _BLOCK))), (rows, -(-vocabulary // _BLOCK), _BLOCK))
    of_blocks = ops.sum(shares, axis=-1)
    block, rest = _pass(of_blocks, numbers[:, None] * ops.sum(of_blocks, axis=-1, keepdims=True))
    within, _ = _pass(ops.take_along_axis(shares, block[..., None], axis=1)[:, 0], rest)
    return block * _BLOCK + within


def _pass(shares: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The place at which the running sum of each row passes its target, `(rows, 1)`, and what is left of the target."""
    sums = ops.cumsum(shares, axis=-1)
    passed = ops.logical_and(sums > target, shares > 0)
    # The first that passes. Where rounding lets none pass, that with the highest share.
    place = ops.top_k(ops.where(passed, float("inf"), shares), 1)[1]
    return place, target - take_within(sums - shares, place)


class _Fixed(keras.random.SeedGenerator):
    """Gives a seed that is a tensor; Keras takes seeds from generators and Python's numbers alone."""

    def __init__(self, seed: Tensor) -> None:
        dtype = "uint32" if keras.config.backend() == "jax" else "int64"
        self.seed = ops.stack([ops.cast(seed, dtype), ops.zeros((), dtype)])

    def next(self, ordered: bool = True) -> Tensor:
        return self.seed


def _generator(seed: int | keras.random.SeedGenerator | Tensor) -> int | keras.random.SeedGenerator:
    """What Keras takes for a seed."""
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    if ops.is_tensor(seed):
        return _Fixed(seed)
    try:
        return operator.index(seed)
    except TypeError:
        found = repr(seed)
        raise ValueError(f"expected seed to be a whole number, a SeedGenerator or a tensor, found {found}") from None
