"""The app of a Space on this machine: the real Gradio server, with the renderer in place of weights."""
