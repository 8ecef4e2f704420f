"""Drives the page in headless Chromium: types, classifies, teaches two examples, sees the answer change;
pictures in both themes, on a desktop and a phone, without requests to other servers."""
import base64
import json
import os
import pathlib
import subprocess
import time
import urllib.request

import websocket
from service import SCRATCH, Service, free_port

PICTURES = pathlib.Path(os.environ.get("PICTURES", SCRATCH))


class Browser:
    """A tab of Chromium, by its DevTools protocol."""

    def __init__(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--remote-debugging-port={self.port}", f"--user-data-dir={SCRATCH}/chromium",
             "--remote-allow-origins=*", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
             "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json", timeout=5))
                page = next(tab for tab in tabs if tab["type"] == "page")
                break
            except (OSError, StopIteration):
                time.sleep(0.1)
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.count = 0
        self.events = []
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.send(domain + ".enable")

    def send(self, method, **parameters):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.count:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def run(self, script):
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script, what):
        for _ in range(900):
            if self.run(script):
                return
            time.sleep(0.1)
        raise SystemExit(f"FAILED: the page: {what}: {self.run('document.body.innerText')}")

    def click(self, script):
        """Clicks in the middle of an element, as a person does."""
        place = self.run(f"(() => {{ const e = {script}; e.scrollIntoView({{block: 'center'}});"
                         "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()")
        for kind in ["mousePressed", "mouseReleased"]:
            self.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, script, text):
        self.click(script)
        self.run(f"{script}.select()")
        self.send("Input.insertText", text=text)

    def show(self, width, height, theme, name):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 500)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.run("scrollTo(0, 0)")
        time.sleep(0.2)
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        assert size["width"] <= width, f"the page is {size['width']} wide on {width}"
        picture = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": width, "height": max(height, min(size["height"], 2400)), "scale": 1})["data"]
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(picture))
        return picture

    def close(self):
        self.process.terminate()
        self.process.wait()


def button(text):
    return f"[...document.querySelectorAll('button')].find(b => b.textContent === '{text}' && b.offsetParent)"


def answers():
    return ("[...document.querySelectorAll('.answer')].map(a => "
            "[a.querySelector('.text').textContent, a.querySelector('.bar .name').textContent])")


text = "My card was declined and nothing loads."
with Service("--state-directory", str(SCRATCH / "page")) as service:
    browser = Browser()
    try:
        browser.send("Page.navigate", url=service.address)
        browser.until("document.body?.dataset.ready === 'yes'", "it is not ready")
        browser.show(1280, 800, "light", "page-empty")
        browser.type("document.getElementById('texts')", f"{text}\nThe server is down.\nYou won a prize, click here!")
        browser.click("document.getElementById('explain')")
        browser.click(button("Classify"))
        browser.until("document.querySelectorAll('.answer dl').length === 3", "there are no explained answers")
        before = browser.run(answers())
        assert before[1][1] == "outage" and before[2][1] == "spam", before
        assert "ms in the server" in browser.run("document.getElementById('latency').textContent")
        wanted = "spam" if before[0][1] != "spam" else "billing"
        # Teach it something else than it said, and something that it knew.
        browser.click("document.getElementById('explain')")
        browser.type("document.getElementById('name')", "desk")
        browser.click(button("Start an adapter"))
        browser.until("document.querySelectorAll('.teach').length === 3", "there is nothing to teach")
        for count, (place, label) in enumerate([(0, wanted), (1, "outage")], 1):
            browser.click(f"document.querySelectorAll('.answer')[{place}].querySelectorAll('.teach button')"
                          f"[{['billing', 'outage', 'spam'].index(label)}]")
            browser.until(f"document.getElementById('status').textContent.includes('knows {count} example')",
                          "the example was not learned")
        after = browser.run(answers())
        assert after[0] == [text, wanted] and after[1][1] == "outage", (before, after)
        pictures = {}
        browser.click("document.getElementById('explain')")
        browser.click(button("Classify"))
        browser.until("document.querySelectorAll('.answer dl').length === 3", "there are no explanations")
        for theme in ["light", "dark"]:
            for name, width, height in [("desktop", 1280, 900), ("phone", 390, 844)]:
                pictures[theme, name] = browser.show(width, height, theme, f"page-{name}-{theme}")
        assert pictures["light", "phone"] != pictures["dark", "phone"]
        # An error is shown, and does not stop the page.
        browser.run("document.getElementById('by').value = 'labels'; document.getElementById('by').onchange()")
        browser.type("document.getElementById('labels')", "only")
        browser.click(button("Classify"))
        browser.until("document.getElementById('status').className === 'bad'", "an error is not shown")
        urls = [event["params"]["request"]["url"] for event in browser.events
                if event["method"] == "Network.requestWillBeSent"]
        assert all(url.startswith((service.address, "data:")) for url in urls), urls
        faults = [event for event in browser.events if event["method"] == "Runtime.exceptionThrown"]
        assert not faults, faults
    finally:
        browser.close()
print(f"ok: the page in Chromium; {before[0][1]} became {wanted}")
