"""Fields of CSV and of tables with TABs."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from seqtag.data.text.fields import split_fields, written_field


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8")), min_size=1))
def test_fields_are_those_of_the_csv_module(values):
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    assert split_fields(out.getvalue(), ",") == values
    assert split_fields(",".join(written_field(value, ",") for value in values), ",") == values
