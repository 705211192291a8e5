"""The linear-chain conditional random field: scores, forward-backward, likelihood, Viterbi, spans."""
