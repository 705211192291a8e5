"""The configuration of JoeyNMT's recurrent network that is like one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqtag.seq2seq.config import Seq2SeqConfig


def joeynmt_config(config: Seq2SeqConfig, folder: Path) -> dict[str, Any]:
    """An encoder-decoder of the same cell, widths, attention, dropout and batches; files are in `folder`."""
    model, training = config.model, config.training
    sides = {
        side: {"lang": side, "level": "word", "voc_min_freq": model.min_count or 2, "max_length": 100}
        for side in ("src", "trg")
    }
    files = {split: str(folder / split) for split in ("train", "dev", "test")}
    return {
        "name": "peer",
        "joeynmt_version": "2.3.0",
        "model_dir": str(folder / "model"),
        "use_cuda": False,
        "random_seed": config.seed,
        "data": {**files, "dataset_type": "plain", **sides},
        "testing": {
            "beam_size": config.evaluation.beam,
            "beam_alpha": 1.0,
            "eval_metrics": ["bleu"],
            "batch_size": 64,
            "generate_unk": False,
        },
        "training": {
            "optimizer": "adam",
            "learning_rate": 0.001,
            # Constant: its own choice, by plateaus, fails with the PyTorch of today.
            "scheduling": "exponential",
            "decrease_factor": 1.0,
            "clip_grad_norm": 5.0,
            "label_smoothing": training.label_smoothing,
            "batch_size": (training.batch_symbols or 3000) // 2,
            "batch_type": "token",
            "normalization": "tokens",
            "epochs": 1000,
            "validation_freq": 200,
            "logging_freq": 100,
            "early_stopping_metric": "bleu",
            "overwrite": True,
            "keep_best_ckpts": 1,
            # Otherwise it draws the attention of three sentences each time.
            "print_valid_sents": [],
        },
        "model": {
            "initializer": "xavier_uniform",
            "encoder": {
                "type": "recurrent",
                "rnn_type": "lstm",
                "embeddings": {"embedding_dim": model.embedding_dim, "dropout": model.dropout},
                "hidden_size": model.units // 2,
                "bidirectional": True,
                "dropout": model.dropout,
                "num_layers": model.layers,
            },
            "decoder": {
                "type": "recurrent",
                "rnn_type": "lstm",
                "embeddings": {"embedding_dim": model.embedding_dim, "dropout": model.dropout},
                "hidden_size": model.units,
                "dropout": model.dropout,
                "hidden_dropout": model.dropout,
                "num_layers": model.layers,
                "input_feeding": True,
                "init_hidden": "bridge",
                "attention": "bahdanau",
            },
        },
    }
