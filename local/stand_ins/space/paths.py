"""The paths of a Gradio 6 app, and of the Hub's answers about a Space."""

import re

CREATE = re.compile(r"/gradio_api/call/(v2/)?(\w+)")
READ = re.compile(r"/gradio_api/call/\w+/([\w-]+)")
FILE = re.compile(r"/gradio_api/file=(/.+)")
STAGE, WHOAMI = "/api/spaces/by-subdomain/", "/api/whoami-v2"
