"""Keras layers: weights around the pure functions of `seqtag.ops`."""

from seqtag.layers.additive_attention import AdditiveAttention
from seqtag.layers.attention_decoder import AttentionDecoder
from seqtag.layers.bidirectional import Bidirectional
from seqtag.layers.char_encoder import CharEncoder
from seqtag.layers.crf import CRF
from seqtag.layers.crf_decoder import CRFDecoder
from seqtag.layers.gru import GRU, GRUCell
from seqtag.layers.lstm import LSTM, LSTMCell
from seqtag.layers.multiplicative_attention import MultiplicativeAttention
from seqtag.layers.peephole_lstm import PeepholeLSTM, PeepholeLSTMCell
from seqtag.layers.simple_rnn import SimpleRNN, SimpleRNNCell

__all__ = [
    "CRF",
    "GRU",
    "LSTM",
    "AdditiveAttention",
    "AttentionDecoder",
    "Bidirectional",
    "CRFDecoder",
    "CharEncoder",
    "GRUCell",
    "LSTMCell",
    "MultiplicativeAttention",
    "PeepholeLSTM",
    "PeepholeLSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
]
