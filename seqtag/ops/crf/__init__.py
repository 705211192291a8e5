"""Linear-chain conditional random fields: path scores, log-partition, marginals, likelihood, best paths, spans.

A path `y` over the `n` real steps of a row has the score

    score(y) = start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_n]

and the probability `exp(score(y) - log Z)`, where the log-partition `log Z` is the log-sum-exp of the scores of all
paths (Lafferty, McCallum and Pereira 2001). A row without a real step has one path, the empty one, of score 0.

A function takes the arguments that it needs, in this order:

1. `emissions (batch, time, tags)`: the score of each tag at each step, `-inf` where a tag may not be;
2. what the function asks about: `tags (batch, time)`, `allowed (batch, time, tags)`, `k`, `starts` and `ends`;
3. `mask (batch, time)` bool: the real steps. Masked steps are skipped wherever they are (before, between or after the
   real ones): the transition joins the two real steps around a gap;
4. `scores`: a `CRFScores(start, transitions, end)`;
5. options.

The methods of `seqtag.layers.CRF` have the same order without the scores, which are the layer's weights. Only its loss
is called on `(tags, emissions)`, as Keras calls all losses.

Ranks, shapes, dtypes and tags are checked: see `seqtag.ops.crf.arguments`. All is computed in float32 (in float64 if
the emissions are), whatever the dtype of the arguments.
"""

from seqtag.ops.crf.expectations import expectations, log_partition, marginals
from seqtag.ops.crf.likelihood import loss_within, negative_log_likelihood, path_score
from seqtag.ops.crf.scores import CRFScores, constrain
from seqtag.ops.crf.spans import path_probabilities, probability_within, span_probability
from seqtag.ops.crf.token_losses import token_losses
from seqtag.ops.crf.viterbi import best_path, decode, n_best

__all__ = [
    "CRFScores",
    "best_path",
    "constrain",
    "decode",
    "expectations",
    "log_partition",
    "loss_within",
    "marginals",
    "n_best",
    "negative_log_likelihood",
    "path_probabilities",
    "path_score",
    "probability_within",
    "span_probability",
    "token_losses",
]
