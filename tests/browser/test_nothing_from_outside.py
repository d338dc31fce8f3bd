"""No page asks another host, whatever a cell has put into it: the browser sees to it."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_pages import DESKTOP, PAGES, settled

from descent.publish import policy
from descent.publish import site as rendered

pytestmark = pytest.mark.browser


@pytest.fixture
def other_host():
    """Return the address of another host, and the list of what it was asked."""
    asked = []

    class Host(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()
        thread.join()


def test_every_page_of_the_book_asks_for_its_own_files_alone(browser, site):
    """From disk, scrolled to its end, printed and searched: the log of all that is asked."""
    own, asked, seen, wrong = site.as_uri() + "/", {}, [], []
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.on("request", lambda r: asked.setdefault(r.url, page.url))
    page.on("console", lambda m: wrong.append((page.url, m.text)) if m.type == "error" else None)
    files = [path.relative_to(site).as_posix() for path in rendered.pages(site)]
    assert {f"{name}.html" for name in PAGES} | {"index.html"} == set(files)
    for name in [*files, "search.html?q=escape"]:
        page.goto(own + name)
        settled(page)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.emulate_media(media="print")
        settled(page)
        page.emulate_media(media="screen")
        seen.append(name)
    context.close()
    assert len(seen) == len(files) + 1
    kinds = {address.partition("?")[0].rpartition(".")[2] for address in asked}
    assert {"html", "js", "css", "woff", "svg"} <= kinds, "the log sees all kinds of files"
    assert len(asked) > len(files) + 30
    outside = {
        address: where
        for address, where in asked.items()
        if not address.startswith((own, "data:", "blob:"))
    }
    assert outside == {}
    assert wrong == []


# What cells of other people's notebooks put into a page, and more that a list of tags misses.
CELLS = """
<script src="HOST/script.js"></script>
<script>const s = document.createElement("script"); s.src = "HOST/made.js";
  document.head.append(s); fetch("HOST/fetch").catch(() => {}); new Image().src = "HOST/new.png";
  navigator.sendBeacon("HOST/beacon"); import("HOST/imported.js").catch(() => {});
  try { new WebSocket("HOST/socket".replace("http", "ws")); } catch {}
  try { new EventSource("HOST/events"); } catch {}
  try { new Worker(URL.createObjectURL(new Blob(["importScripts('HOST/worker.js')"]))); } catch {}
</script>
<script type="module">import "HOST/module.js";</script>
<img src="HOST/image.png"><img srcset="HOST/set.png 2x">
<video src="HOST/video.mp4" poster="HOST/poster.png"><track default src="HOST/track.vtt"></video>
<audio src="HOST/sound.mp3" preload="auto"></audio>
<svg><image xlink:href="HOST/svg.png" width="9" height="9"/></svg>
<svg><use href="HOST/use.svg#x"/></svg>
<table background="HOST/background.png"><tr><td>x</td></tr></table>
<iframe src="HOST/frame"></iframe><object data="HOST/object"></object><embed src="HOST/embed">
<link rel="stylesheet" href="HOST/sheet.css"><link rel="preload" as="image" href="HOST/pre.png">
<link rel="manifest" href="HOST/manifest.json"><link rel="icon" href="HOST/icon.png">
<style>@import "HOST/imported.css"; @font-face { font-family: f; src: url(HOST/font.woff); }
  p { font-family: f; background: url(HOST/style.png); }</style>
<p style="border-image: url(HOST/attribute.png)">x</p><input type="image" src="HOST/input.png">
"""
# By itself: what it asks for takes the place of the page, and of all that was still to be asked.
FORM = """
<form action="HOST/form"><button>x</button></form><script>document.forms[0].submit();</script>
"""
PAGE = "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body>{}</body></html>"


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize(("cells", "heard"), [(CELLS, 20), (FORM, 1)], ids=["cells", "form"])
def test_what_a_cell_puts_into_a_page_asks_nobody(
    browser, tmp_path, other_host, cells, heard, guarded
):
    host, asked = other_host
    text = PAGE.format(cells.replace("HOST", host))
    place = tmp_path / "page.html"
    place.write_text(policy.with_policy(text) if guarded else text)
    page = browser.new_page()
    page.goto(place.as_uri(), wait_until="commit")  # what is refused may never be done loading
    limit = time.monotonic() + (3 if guarded else 60)
    while time.monotonic() < limit and (guarded or len(set(asked)) < heard):
        page.wait_for_timeout(200)
    page.close()
    if guarded:
        assert asked == []
    else:
        assert len(set(asked)) >= heard, f"the other host hears all that is tried: {asked}"


def test_the_build_names_what_would_stay_empty(tmp_path):
    """What the policy stops is missing from a page, so that the build must stop, too."""
    host = "https://example.org"
    text = (CELLS + FORM).replace("HOST", host)
    (tmp_path / "page.html").write_text(policy.with_policy(PAGE.format(text)))
    found = "\n".join(rendered.complaints(tmp_path))
    parts = ("made.js", "fetch", "imported.js", "poster.png", "svg.png", "background.png", "font")
    for part in parts:
        assert f"loads {host}/{part}" in found, part
