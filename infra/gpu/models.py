"""The models that can run on a GPU in the operator's account: those with a SageMaker route in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from longplay.domain.catalogue import Kind, Model

from infra.settings.catalogue import catalogue

_TASKS = {Kind.MUSIC: "text-to-audio", Kind.IMAGE: "text-to-image"}


@dataclass(frozen=True)
class GpuModel:
    """A model's id on the Hub and its pipeline's task: the environment of Hugging Face's container."""

    hub_id: str
    task: str


def gpu_models() -> Mapping[str, GpuModel]:
    """The models by name, without video models: the container has no task for video."""
    found = {model.name: _gpu_model(model) for model in catalogue().models.values() if model.kind in _TASKS}
    return {name: model for name, model in found.items() if model}


def _gpu_model(model: Model) -> GpuModel | None:
    route = next((route for route in model.routes if route.provider == "sagemaker"), None)
    return GpuModel(route.model, _TASKS[model.kind]) if route else None
