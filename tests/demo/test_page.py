"""The page in a real browser: text comes back in colour, escaped, by keyboard too, in light, dark and narrow."""

from __future__ import annotations

import threading
import time

import pytest

from seqtag.demo.serving import open_port
from seqtag.tasks import task_named

uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")

EVIL = "Ann met <img src=x onerror=document.title='owned'> Bo in Paris ."


@pytest.fixture(scope="module")
def served(run_folder, shop_run, reversal_run):
    """The addresses of the pages of a tagger, a forecaster and a model of sequence to sequence."""
    from seqtag.demo.app import demo_app

    addresses, servers = {}, []
    for task, folder in {"tagging": run_folder, "forecasting": shop_run, "seq2seq": reversal_run}.items():
        listener = open_port(0)
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(demo_app(task_named(task).demo(folder), port), log_level="error"))
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
        servers.append(server)
        addresses[task] = f"http://127.0.0.1:{port}/"
    yield addresses
    for server in servers:
        server.should_exit = True


def by_id(browser, name):
    return browser.find_element("id", name)


def wait(browser, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, by_id(browser, "status").text
        time.sleep(0.05)


def open_page(browser, address):
    browser.get(address)
    wait(browser, lambda: by_id(browser, "go").is_enabled())


def fill(browser, name, text):
    browser.execute_script("arguments[0].value = arguments[1]", by_id(browser, name), text)


def answered(browser):
    by_id(browser, "go").click()
    wait(browser, lambda: by_id(browser, "go").is_enabled() and not by_id(browser, "status").text)


def overflows(browser):
    return browser.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth")


def complaints(browser):
    return [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]


def test_a_text_is_tagged_and_escaped(browser, window, served):
    browser.get_log("browser")
    open_page(browser, served["tagging"])
    fill(browser, "text", EVIL)
    fill(browser, "n_best", "3")
    answered(browser)
    first = browser.find_element("css selector", ".sentence")
    assert first.get_attribute("textContent").startswith("Ann") and "<img src=x" in first.text
    assert browser.title == "Tagger · seqtag" and not browser.find_elements("css selector", "#answer img")
    marks = browser.find_elements("css selector", "mark")
    assert marks and all(mark.find_element("css selector", "small").text for mark in marks)
    assert len(browser.find_elements("css selector", ".sentence")) == 4
    links = {link.get_attribute("download"): link for link in browser.find_elements("css selector", "#files a")}
    assert set(links) == {"tagged.jsonl", "tagged.tsv"}
    assert links["tagged.tsv"].get_attribute("href").startswith("blob:")
    assert complaints(browser) == []


def test_the_keyboard_alone_is_enough(browser, window, served):
    from selenium.webdriver.common.keys import Keys

    open_page(browser, served["tagging"])
    area = browser.switch_to.active_element
    assert area.get_attribute("id") == "text"
    area.clear()
    area.send_keys("Bo saw Ann")
    area.send_keys(Keys.CONTROL, Keys.ENTER)
    wait(browser, lambda: browser.find_elements("css selector", "mark"))
    area.send_keys(Keys.TAB, Keys.NULL)
    assert browser.switch_to.active_element.get_attribute("id") == "n_best"


def test_a_fault_is_a_line_on_the_page(browser, window, served):
    open_page(browser, served["forecasting"])
    fill(browser, "series", "shop,day,sales,promotion,holiday,region\na,soon,1,0,none,north\n")
    by_id(browser, "go").click()
    wait(browser, lambda: by_id(browser, "status").get_attribute("class") == "wrong")
    assert by_id(browser, "status").text.startswith("input") and "'soon'" in by_id(browser, "status").text


def test_a_file_is_uploaded_and_its_fan_is_drawn(browser, window, served, shop):
    open_page(browser, served["forecasting"])
    series, future = browser.find_elements("css selector", "input[type=file]")
    series.send_keys(str(shop / "train.csv"))
    future.send_keys(str(shop / "later.csv"))
    wait(browser, lambda: by_id(browser, "future").get_attribute("value"))
    answered(browser)
    charts = browser.find_elements("css selector", "svg")
    assert len(charts) == 3 and charts[0].get_attribute("role") == "img"
    drawn = charts[0].find_elements("css selector", ".band, .middle, .past")
    assert len(drawn) >= 3 and all("NaN" not in line.get_attribute("points") for line in drawn)
    assert browser.find_elements("css selector", "table")


def test_candidates_of_a_source(browser, window, served):
    open_page(browser, served["seq2seq"])
    fill(browser, "source", "ab")
    answered(browser)
    assert len(browser.find_elements("css selector", "tbody tr")) == 3


@pytest.mark.parametrize("width", [320, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_small_screens_in_light_and_dark(browser, window, served, width, dark):
    window(width, dark)
    open_page(browser, served["tagging"])
    fill(browser, "text", "Ann met Bo in New York . " + "x" * 400)
    answered(browser)
    assert not overflows(browser)
    colour = browser.find_element("css selector", "body").value_of_css_property("background-color")
    assert ("20, 23, 27" in colour) == dark
