"""Machine learning on images and labels: training, predicting, evaluating.

Nothing here knows about listings, decisions or FiftyOne. ``curation`` imports ``training``, never the other way round.
"""

import os

# Libraries report their use to their makers unless the environment forbids it, and read that only once, while they are
# imported. So it is forbidden here, before any of them; worker processes inherit it. What a person set stays.
for _name, _refusal in {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime looks up a host of Microsoft, writes a device id into the user's cache
    "DO_NOT_TRACK": "1",  # Hugging Face's, and whoever else keeps to consoledonottrack.com
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray's, of a cluster that starts with this process
}.items():
    if not os.environ.get(_name):
        os.environ[_name] = _refusal
