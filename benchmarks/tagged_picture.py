"""The README's picture: sentences of the sample corpus as `seqtag train ner_sample` shows them.

    python -m benchmarks.tagged_picture RUN

writes docs/figures/tagged.svg from a run of that configuration.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from seqtag.data.text.paragraphs import tokenize_lines
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.formats import to_rich
from seqtag.tagging.model import TaggingModel

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "tagged.svg"
LINES = [
    "Jordan Ellis left Ford for Apple in May 2021, and moved from Paris to Jordan.",
    "In Washington, Washington Post reporter Maria Ford met Paris Bramley on 3 March 1998.",
    "The new Ford Falcon is cheaper than the Phoenix Vista, says Lindqvist & Sons of Zagreb.",
    "Ms. Georgia Novak of Halebury Foods flew to Georgia on Monday.",
]


def main(run: str) -> None:
    """Tags the lines with the run's model and writes the picture."""
    model = TaggingModel.load(run)
    tagged = model.tag([TaggerInput(line.tokens) for line in tokenize_lines(LINES)])
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=110, file=nowhere, force_terminal=True)
        for sentence in tagged:
            console.print(to_rich(sentence, model.codec.symbols))
        FIGURE.parent.mkdir(exist_ok=True)
        # Without the web font that Rich would fetch: a picture needs no network.
        form = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
        console.save_svg(str(FIGURE), title="seqtag predict --text", code_format=form)
    print(FIGURE)


if __name__ == "__main__":
    main(sys.argv[1])
