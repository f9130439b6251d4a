"""TensorFlow.js for tests: its converter in an environment of its own, and Chromium."""

import shutil
import subprocess
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from tests.versions import environments

TFJS = "4.22.0"
"""The version of the converter, and of the package in the browser."""

CONVERT = """\
import sys
from tensorflowjs import converters
for line in sys.stdin:
    try:
        converters.convert(line.split())
        print("converted:", flush=True)
    except Exception as error:
        print("converted:", type(error).__name__, error, flush=True)
"""
HTML = """<!doctype html>
<script src="package/dist/tf.min.js"></script>
<script>
  async function predict([load, file, rows]) {
    await tf.setBackend("cpu");
    const model = await tf[load](file);
    const outputs = [model.predict(tf.tensor(rows))].flat();
    return Promise.all(outputs.map((output) => output.array()));
  }
</script>
"""


class Web:
    """TensorFlow.js: its converter, and Chromium. Use it as a context manager."""

    def __enter__(self) -> "Web":
        from playwright.sync_api import sync_playwright

        pair = environments.named(f"tensorflowjs {TFJS}")
        self._python = subprocess.Popen(
            [environments.install(pair), "-c", CONVERT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        package = ["npm", "pack", "--silent", f"@tensorflow/tfjs@{TFJS}"]
        subprocess.run(package, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(f"tensorflow-tfjs-{TFJS}.tgz") as archive:
            archive.extract("package/dist/tf.min.js", filter="data")
        Path("predict.html").write_text(HTML, "utf-8")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._driver = sync_playwright().start()
        self._browser = self._driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        self._page = self._browser.new_page()
        self._page.goto(f"http://127.0.0.1:{self._server.server_port}/predict.html")
        return self

    def __exit__(self, *error) -> None:
        self._browser.close()
        self._driver.stop()
        self._server.shutdown()
        self._server.server_close()
        self._python.communicate()

    def convert(self, arguments: str) -> None:
        """Call `tensorflowjs_converter`.

        Raises:
            RuntimeError: What it raised, under the name of its class.
        """
        self._python.stdin.write(arguments + "\n")
        self._python.stdin.flush()
        for line in self._python.stdout:  # it prints, too
            if line.startswith("converted:"):
                break
        if said := line.partition(":")[2].strip():
            name, _, message = said.partition(" ")
            raise type(name, (RuntimeError,), {})(message)

    def predict(self, load: str, file: str, rows: np.ndarray) -> list[np.ndarray]:
        """Load a model by `loadGraphModel` or `loadLayersModel`; return its outputs."""
        outputs = self._page.evaluate("predict", [load, file, rows.tolist()])
        return [np.array(output) for output in outputs]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *args):
        pass
