"""The app of a Space that generates for Longplay: one endpoint, `generate`, for all models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

Generate = Callable[[str, str, Mapping[str, Any], "str | None"], str]


def build(generate: Generate) -> gr.Blocks:
    """The app around a function that takes model, prompt, parameters and the path of an image, and returns a file's."""

    def checked(model: str, prompt: str, parameters: dict[str, Any] | None, image: str | None = None) -> str:
        try:
            return generate(model, prompt, parameters or {}, image)
        except gr.Error:
            raise
        except (ValueError, TypeError, OSError) as error:
            raise gr.Error(str(error)) from error  # an app shows no other error to its caller

    with gr.Blocks(title="Longplay") as blocks:
        model, prompt = gr.Textbox(label="Model"), gr.Textbox(label="Prompt")
        parameters, image = gr.JSON(label="Parameters", value={}), gr.Image(label="Image", type="filepath")
        made = gr.File(label="Result")
        start = gr.Button("Generate")
        start.click(checked, [model, prompt, parameters, image], made, api_name="generate")
    return blocks


def main() -> None:
    """Serve the models; called by the Space."""
    from pipelines import generate

    build(generate).queue(default_concurrency_limit=1).launch()


if __name__ == "__main__":
    main()
