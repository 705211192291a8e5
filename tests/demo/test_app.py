"""The application of a demo: whom it answers, how much it takes, and that what it answers is what `predict` answers."""

from __future__ import annotations

import json
import socket
import sys

import pandas as pd
import pytest

from seqtag import Forecaster
from seqtag.cli import run
from seqtag.demo.page import Answer, Demo, Field, Number, Piece, Sentence
from seqtag.errors import DataError
from seqtag.tasks import task_named

testclient = pytest.importorskip("starlette.testclient", reason="starlette and httpx are not installed")

PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"
BAD_TIME = "shop,day,sales,promotion,holiday,region\na,soon,1,0,none,north\n"
TEXT = "Ann met  Bo in New York.\n\n<b>Paris</b> & Ærø 🙂\n"


def shout(texts, numbers):
    if texts["text"] == "bad":
        raise DataError("expected words,\nfound none", "input", 3)
    if texts["text"] == "broken":
        raise ZeroDivisionError("never")
    return Answer([Sentence([Piece(texts["text"].upper() * numbers["times"])])], {"loud.txt": "x"})


DEMO = Demo("Echo", "It shouts.", [Field("text", "Text", 100)], [Number("times", "Times", 1, 1, 3)], [], shout)


def client_of(demo, base=HERE):
    from seqtag.demo.app import demo_app

    return testclient.TestClient(demo_app(demo, PORT), base_url=base, raise_server_exceptions=False)


@pytest.fixture
def client():
    return client_of(DEMO)


def asked(client, **values):
    response = client.post("/answer", json=values)
    return response.status_code, response.json()


def test_the_page_and_what_it_is_made_of(client):
    page = client.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    for path in ("/page.js", "/chart.js", "/page.css"):
        assert f'"{path}"' in page.text and client.get(path).status_code == 200
    assert client.get("/settings").json()["fields"][0]["most"] == 100
    assert asked(client, text="hi", times=2)[1]["blocks"][0]["pieces"][0]["text"] == "HIHI"
    assert client.get("/nothing").status_code == 404 and client.get("/answer").status_code == 405


def test_no_script_and_no_style_stands_in_the_page_or_makes_html(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    scripts = client.get("/page.js").text + client.get("/chart.js").text
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http:", "https:"):
        assert way not in scripts.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"0.0.0.0:{PORT}", f"[::1]:{PORT}", ""],
)
def test_foreign_hosts_are_refused(client, host):
    response = client.get("/settings", headers={"Host": host})
    assert response.status_code == 421 and "expected a request to 127.0.0.1" in response.json()["error"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8123", "http://127.0.0.1:1"])
def test_foreign_origins_are_refused(client, origin):
    response = client.post("/answer", json={"text": "hi"}, headers={"Origin": origin})
    assert response.status_code == 403 and "access-control-allow-origin" not in response.headers


def test_our_own_origin_is_answered(client):
    assert client.post("/answer", json={"text": "hi"}, headers={"Origin": HERE}).status_code == 200
    by_name = client_of(DEMO, f"http://localhost:{PORT}")
    assert by_name.post("/answer", json={"text": "hi"}, headers={"Origin": f"http://localhost:{PORT}"}).is_success


def test_a_form_of_another_page_cannot_ask(client):
    """Such a form sends only types that need no question before; ours is none of them."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        response = client.post("/answer", content=b'{"text": "hi"}', headers={"Content-Type": kind})
        assert response.status_code == 415


def test_sizes_are_bounded(client):
    assert asked(client, text="a" * 101) == (422, {"error": "Text: expected at most 100 characters, found 101"})
    assert asked(client, text="🙂" * 100)[0] == 200
    assert asked(client, text="a" * 100_000)[0] == 413
    many = client.post(
        "/answer", content=(b"x" * 1_000 for _ in range(100)), headers={"Content-Type": "application/json"}
    )
    assert many.status_code == 413


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"text": 3}, "Text: expected text, found 3"),
        ({"text": "a", "times": 4}, "times: expected a whole number from 1 to 3, found 4"),
        ({"text": "a", "times": True}, "times: expected a whole number from 1 to 3, found True"),
        ({"text": "a", "times": 1.5}, "times: expected a whole number from 1 to 3, found 1.5"),
        ({"text": "bad"}, "input:3: expected words,\\nfound none"),
    ],
)
def test_faults_are_one_line(client, values, told):
    assert asked(client, **values) == (422, {"error": told})


def test_what_is_no_object_and_what_breaks(client, capsys):
    for content in (b"[" * 2_000, b"{", b"[]", b"\xff", b"1e999"):
        response = client.post("/answer", content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == 422 and response.json()["error"].startswith("expected ")
    assert asked(client, text="broken") == (500, {"error": "ZeroDivisionError: never"})
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_tagger_answers_as_predict(run_folder, tmp_path, capsysbinary):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    client = client_of(task_named("tagging").demo(run_folder))
    for n_best, options in ((1, []), (3, ["--n-best", "3"])):
        status, answer = asked(client, text=TEXT, n_best=n_best)
        assert status == 200
        assert run(["predict", str(run_folder), str(path), "--text", "--format", "jsonl", *options]) == 0
        assert answer["files"]["tagged.jsonl"].encode() == capsysbinary.readouterr().out
        lines = [json.loads(line) for line in answer["files"]["tagged.jsonl"].splitlines()]
        whole = [block for block in answer["blocks"] if not block["title"]]
        assert ["".join(piece["text"] for piece in block["pieces"]) for block in whole] == TEXT.splitlines()
        marked = [[(p["text"], p["label"]) for p in block["pieces"] if p["label"]] for block in whole]
        assert marked == [[(e["text"], e["type"]) for e in line["entities"]] for line in lines]
        assert len(answer["blocks"]) == sum(1 + len(line.get("candidates", [])) for line in lines)


def test_a_forecaster_answers_as_predict(shop, shop_run, capsysbinary):
    client = client_of(task_named("forecasting").demo(shop_run))
    series, future = ((shop / name).read_text() for name in ("train.csv", "later.csv"))
    status, answer = asked(client, series=series, future=future, horizon=7)
    assert status == 200, answer
    assert run(["predict", str(shop_run), str(shop / "train.csv"), "--future", str(shop / "later.csv")]) == 0
    assert answer["files"]["forecast.csv"].encode() == capsysbinary.readouterr().out
    fans = [block for block in answer["blocks"] if block["kind"] == "fan"]
    frame = pd.read_csv(shop / "train.csv")
    for fan, (name, rows) in zip(fans, frame.groupby("shop", sort=False), strict=True):
        # Up to its last value; a day without a row has none.
        known = rows.dropna(subset="sales").set_index("day")["sales"]
        assert fan["title"] == name and fan["past"][-1] == known.iloc[-1]
        assert fan["past"] == [known.get(day) for day in fan["times"][: len(fan["past"])]]
        assert len(fan["times"]) == len(fan["past"]) + 7
        for _, low, high in fan["bands"]:
            assert all(a <= b for a, b in zip(low, high, strict=True))
    assert Forecaster.load(shop_run).model_.levels[0] == 0.1 and fans[0]["bands"][0][0] == "80%"


@pytest.mark.parametrize(
    ("series", "told"),
    [("", ""), ("shop,day\na,2024-01-01\n", "expected a column 'sales'"), (BAD_TIME, "'soon'")],
)
def test_a_bad_file_of_series_is_one_line(shop_run, series, told):
    status, answer = asked(client_of(task_named("forecasting").demo(shop_run)), series=series)
    assert status == 422 and answer["error"].startswith("input") and told in answer["error"]
    assert "\n" not in answer["error"]


def test_sequence_to_sequence_answers_as_predict(reversal_run, tmp_path, capsysbinary):
    path = tmp_path / "sources.txt"
    path.write_text("ab\ncabc\n")
    status, answer = asked(client_of(task_named("seq2seq").demo(reversal_run)), source="ab\ncabc\n", beam=3, n_best=2)
    assert status == 200
    assert run(["predict", str(reversal_run), str(path), "--format", "jsonl", "--n-best", "2", "--beam", "3"]) == 0
    assert answer["files"]["targets.jsonl"].encode() == capsysbinary.readouterr().out
    assert [block["title"] for block in answer["blocks"]] == ["ab", "cabc"]


def test_a_missing_extra_and_a_taken_port_are_one_line(run_folder, refused, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(2, "demo", run_folder, "--port", port).startswith("--port: expected a free port, found a fault")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    told = refused(2, "demo", run_folder)
    assert told == "expected starlette and uvicorn, found no uvicorn; pip install 'seqtag[web]'"
