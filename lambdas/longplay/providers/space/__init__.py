"""Gradio apps, such as Spaces at Hugging Face: a call by its event id, which costs a GPU quota and no money."""
