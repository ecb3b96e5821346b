"""Machine learning on images and labels: training, predicting, evaluating.

Nothing here knows about listings, decisions or FiftyOne. ``curation`` imports ``training``, never the other way round.
"""

import os

# Libraries report their use to their makers unless the environment forbids it, and read that only once, while they are
# imported. So it is forbidden here, before any of them; worker processes inherit it. What a person set stays.
for _name in (
    "ORT_DISABLE_TELEMETRY",  # ONNX Runtime looks up a host of Microsoft and writes a device id into the user's cache
    "DO_NOT_TRACK",  # Hugging Face's, and whoever else keeps to consoledonottrack.com
):
    if not os.environ.get(_name):
        os.environ[_name] = "1"
