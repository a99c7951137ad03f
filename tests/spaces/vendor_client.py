"""Gradio's own client: prints the path of the file that one call makes.

It runs in the environment of the app: `python -m tests.spaces.vendor_client URL TOKEN MODEL PROMPT PARAMETERS`.
"""

from __future__ import annotations

import json
import sys

from gradio_client import Client

URL, TOKEN, MODEL, PROMPT, PARAMETERS = sys.argv[1:]

client = Client(URL, token=TOKEN, verbose=False, analytics_enabled=False)
print(client.predict(MODEL, PROMPT, json.loads(PARAMETERS), None, api_name="/generate"))
