"""Run a TensorFlow.js model in a real browser, to compare it with Keras.

Copy this file next to your script. It needs Playwright with a Chromium (the one that is
installed, or what ``playwright install chromium`` fetches), and ``npm`` of Node.js.
"""

import json
import shutil
import subprocess
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

TFJS = "4.22.0"
"""The version of the package ``@tensorflow/tfjs``."""

LIBRARY = Path("package/dist/tf.min.js")

PREDICT = """async ([load, file, rows]) => {
  await tf.setBackend("cpu");
  try {
    const model = await tf[load](file);
    return await model.predict(tf.tensor(rows)).array();
  } catch (error) {
    return error.message;
  }
}"""


def in_browser(script, argument=None):
    """Call a function of JavaScript in Chromium, with TensorFlow.js at hand as ``tf``.

    The working folder is served to it, to this machine alone. The library is fetched
    into ``package/`` there, the first time. Browser and server end with the call.

    Args:
        script: The function, of one argument.
        argument: What JSON can hold.

    Returns:
        What the function returns, as far as JSON can hold it.
    """
    if not LIBRARY.exists():
        package = f"@tensorflow/tfjs@{TFJS}"
        subprocess.run(["npm", "pack", package], check=True, capture_output=True)
        with tarfile.open(f"tensorflow-tfjs-{TFJS}.tgz") as archive:
            archive.extract(str(LIBRARY), filter="data")
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            page.add_script_tag(url=str(LIBRARY))
            return page.evaluate(script, argument)
    finally:
        server.shutdown()


def predict(folder, x):
    """Return what a converted model predicts in Chromium, on the backend ``cpu``.

    Args:
        folder: Where ``model.json`` is, below the working folder. A graph model and a
            layers model are told apart by what it says.
        x: The rows, an array of numbers, for the model's one input.

    Returns:
        An array of the one output; or the message of what went wrong, a string.
    """
    kind = json.loads(Path(folder, "model.json").read_text("utf-8"))["format"]
    load = "loadGraphModel" if kind == "graph-model" else "loadLayersModel"
    found = in_browser(PREDICT, [load, f"{folder}/model.json", np.asarray(x).tolist()])
    return found if isinstance(found, str) else np.array(found)
