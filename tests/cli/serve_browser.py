# SPDX-License-Identifier: MIT
"""A Chromium without a window that looks at the page of dq-serve, for serve_page.py and serve_pictures.py."""
import base64
import os
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ARGUMENTS = """--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-extensions
    --disable-background-networking --disable-sync --disable-component-update --hide-scrollbars
    --proxy-server=direct:// --window-size=1400,1000"""
PATIENCE = int(os.environ.get("PATIENCE", 120))  # seconds: a loaded machine is slow, and a failure is rare


class Browser:
    def __init__(self):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS.split() + [f"--user-data-dir={self.home.name}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service("/usr/bin/chromedriver", env={**os.environ, "HOME": self.home.name})
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_script_timeout(PATIENCE)

    def close(self):
        self.driver.quit()
        self.home.cleanup()

    def open(self, url, until="main > section:not([hidden])"):
        """A page from nothing, not only another fragment of the same."""
        self.driver.get("about:blank")
        self.driver.get(url)
        if until:
            self.wait(lambda: self.all(until), until)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def get(self, path):
        """What the server answers to a GET, asked by the page."""
        return self.driver.execute_async_script(
            "const told = arguments[1]; fetch(arguments[0]).then(r => r.json()).then(told)", path)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        """The first that is seen, once there is one."""
        return self.wait(lambda: next((e for e in self.all(css) if e.is_displayed()), None), f"no {css}")

    def wait(self, found, what):
        def look(_):
            try:
                return found()
            except StaleElementReferenceException:
                return None
        try:
            return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(look)
        except TimeoutException:
            raise AssertionError(what() if callable(what) else what) from None

    def text(self, css):
        return self.one(css).text

    def says(self, css, *words):
        """Waits until an element has these words, seen or not."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent).join(' ')"
        self.wait(lambda: all(w in self.run(script, css) for w in words),
                  lambda: f"{css} does not say {words}, but {self.run(script, css)!r}")

    def click(self, css):
        """Presses the first that is seen, again where it was replaced meanwhile."""
        def press():
            found = next((e for e in self.all(css) if e.is_displayed()), None)
            return found and (found.click() or True)
        self.wait(press, f"no {css}")

    def fill(self, css, value):
        field = self.one(css)
        field.clear()
        field.send_keys(str(value))

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def size(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.wait(lambda: self.run("return innerWidth") == width, f"the window is not {width} pixels wide")

    def scheme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": name},
                                                  {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def picture(self, file):
        answer = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": False})
        with open(file, "wb") as out:
            out.write(base64.b64decode(answer["data"]))

    def complaints(self):
        """What stood in the console since the last call; what the API refused is none of it."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if not (entry["source"] == "network" and "/api/" in entry["message"])]


TAB, ENTER, SPACE = Keys.TAB, Keys.ENTER, Keys.SPACE
