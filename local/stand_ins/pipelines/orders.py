"""A request's parameters, checked as the real pipelines check them, as an order for the renderer."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from local.renderer import ImageFormat, ImageOrder, Order, TrackOrder, VideoOrder
from local.stand_ins.framework.answers import decode_image, refuse
from local.stand_ins.pipelines.asked import Asked, AudioShape, Task

TOKENS_PER_SECOND = 50
DEFAULT_TOKENS, MOST_TOKENS = 256, 1503
MOST_PIXELS = 2048 * 2048
MOST_FRAMES = 480
MOST_NUMBER = 2**63

TOOLKIT_ARGUMENTS = {"preprocess_params", "forward_params", "generate_kwargs", "generation_parameters"}
GENERATE_ARGUMENTS = {"do_sample", "guidance_scale", "max_new_tokens", "min_new_tokens", "max_length", "num_beams"}
GENERATE_ARGUMENTS |= {"temperature", "top_k", "top_p", "repetition_penalty", "use_cache", "num_return_sequences"}
IMAGE_ARGUMENTS = {"width", "height", "target_size", "num_inference_steps", "guidance_scale", "negative_prompt"}
IMAGE_ARGUMENTS |= {"seed", "prompt", "num_images_per_prompt", "output_type", "scheduler"}
VIDEO_ARGUMENTS = IMAGE_ARGUMENTS | {"num_frames", "fps", "frame_rate", "duration", "seconds", "image"}
VIDEO_ARGUMENTS |= {"motion_bucket_id", "noise_aug_strength", "decode_chunk_size", "min_guidance_scale"}
VIDEO_ARGUMENTS |= {"max_guidance_scale"}


IMAGE_FORMATS: Mapping[str | None, ImageFormat] = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}


def order_of(asked: Asked, shape: AudioShape = AudioShape.TOOLKIT) -> Order:
    """The order in a request; raises Refused where the real pipeline answers 400."""
    match asked.task:
        case Task.TEXT_TO_AUDIO:
            return track(asked, shape)
        case Task.TEXT_TO_IMAGE:
            return image(asked)
        case Task.TEXT_TO_VIDEO | Task.IMAGE_TO_VIDEO:
            return video(asked)


def track(asked: Asked, shape: AudioShape) -> TrackOrder:
    """A track; MusicGen makes 50 tokens a second, and takes neither a seed nor a duration."""
    arguments = _generate_arguments(asked.parameters, shape)
    if unknown := sorted(set(arguments) - GENERATE_ARGUMENTS):
        note = "note: typos in the generate arguments will also show up in this list"
        refuse(f"The following `model_kwargs` are not used by the model: {unknown} ({note})")
    tokens = _whole(arguments, "max_new_tokens", DEFAULT_TOKENS)
    if not 1 <= tokens <= MOST_TOKENS:
        refuse(f"`max_new_tokens` has to be between 1 and {MOST_TOKENS}, but is {tokens}.")
    return TrackOrder(prompt=_text(asked.inputs), seconds=tokens / TOKENS_PER_SECOND)


def image(asked: Asked) -> ImageOrder:
    """An image, in the format that `Accept` names, otherwise PNG."""
    _check_known(asked.parameters, IMAGE_ARGUMENTS, "StableDiffusionPipeline")
    order = _image(asked, _usual_size(asked.model or ""))
    if asked.toolkit and _size(asked.parameters, "height", None) != _size(asked.parameters, "width", None):
        refuse(
            f"Provided `height={_size(asked.parameters, 'height', None)}` and "
            f"`width={_size(asked.parameters, 'width', None)}`, but either both must have a value or both must be "
            "None (or not provided)."
        )
    return order


def video(asked: Asked) -> VideoOrder:
    """A video, its length from num_frames and fps or from a duration.

    The default is 25 frames at 7 a second from an image (as SVD's), 33 at 16 from text.
    """
    _check_known(asked.parameters, VIDEO_ARGUMENTS, "DiffusionPipeline")
    from_image = asked.task is Task.IMAGE_TO_VIDEO
    fps = _whole(asked.parameters, "fps", _whole(asked.parameters, "frame_rate", 7 if from_image else 16))
    seconds = _number(asked.parameters, "duration", _number(asked.parameters, "seconds", 0))
    usual = round(seconds * fps) or (25 if from_image else 33)
    frames = _whole(asked.parameters, "num_frames", usual)
    if not (1 <= fps <= 60 and 1 <= frames <= MOST_FRAMES):
        refuse(f"`num_frames` has to be between 1 and {MOST_FRAMES} and `fps` between 1 and 60.")
    image, size = _input_image(asked) if from_image else (None, (384, 216))
    return VideoOrder(frame=_image(asked, size), image=image, frames=frames, fps=fps)


def _generate_arguments(parameters: dict[str, Any], shape: AudioShape) -> dict[str, Any]:
    """The arguments of `generate`: nested for the toolkit, flat for the tutorial, either for a server of files."""
    if shape is AudioShape.TUTORIAL:
        return parameters
    nested = [parameters.get(name, {}) for name in ("forward_params", "generate_kwargs", "generation_parameters")]
    if not all(isinstance(given, dict) for given in nested):
        refuse("generate_kwargs must be a dictionary")
    flat = {name: value for name, value in parameters.items() if name not in TOOLKIT_ARGUMENTS}
    if flat and shape is AudioShape.TOOLKIT:
        caller = "TextToAudioPipeline._sanitize_parameters()"
        refuse(f"{caller} got an unexpected keyword argument '{next(iter(flat))}'")
    arguments: dict[str, Any] = flat | nested[0] | nested[1] | nested[2]
    return arguments


def _check_known(parameters: dict[str, Any], known: set[str], pipeline: str) -> None:
    if unknown := sorted(set(parameters) - known):
        refuse(f"{pipeline}.__call__() got an unexpected keyword argument '{unknown[0]}'")


def _image(asked: Asked, usual: tuple[int, int]) -> ImageOrder:
    width, height = (
        _size(asked.parameters, side, pixels) or pixels for side, pixels in zip(("width", "height"), usual, strict=True)
    )
    if width % 8 or height % 8 or min(width, height) < 8:
        refuse(f"`height` and `width` have to be divisible by 8 but are {height} and {width}.")
    if width * height > MOST_PIXELS:
        refuse("CUDA out of memory. Tried to allocate 64.00 GiB. GPU 0 has a total capacity of 14.58 GiB")
    return ImageOrder(
        prompt=_text(asked.prompt if asked.task is Task.IMAGE_TO_VIDEO else asked.inputs),
        width=width,
        height=height,
        steps=_whole(asked.parameters, "num_inference_steps", 30),
        guidance=_number(asked.parameters, "guidance_scale", 7.5),
        seed=_whole(asked.parameters, "seed", 0),
        negative=_text(asked.parameters.get("negative_prompt") or ""),
        format=IMAGE_FORMATS.get(asked.accept, "png"),
    )


def _size(parameters: dict[str, Any], side: str, usual: int | None) -> int | None:
    target = parameters.get("target_size")
    named = target if isinstance(target, dict) else parameters
    return None if named.get(side) is None and usual is None else _whole(named, side, usual or 0)


def _usual_size(model: str) -> tuple[int, int]:
    pixels = 1024 if "xl" in model.lower() else 768 if "2-1" in model else 512
    return pixels, pixels


def _input_image(asked: Asked) -> tuple[bytes, tuple[int, int]]:
    """The image to animate, and a small size of the same proportions."""
    image = decode_image(asked.inputs) or b""
    try:
        with Image.open(BytesIO(image)) as opened:
            width, height = opened.size
            opened.verify()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError):
        refuse("cannot identify image file")
    scale = 384 / max(width, height)
    return image, (max(1, round(width * scale / 8)) * 8, max(1, round(height * scale / 8)) * 8)


def _text(value: object) -> str:
    if not isinstance(value, str):
        refuse(f"`prompt` has to be of type `str` or `list` but is {type(value)}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        refuse("str is not valid UTF-8: surrogates not allowed")
    return value


def _number(parameters: dict[str, Any], name: str, usual: float) -> float:
    value = parameters.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f"'{type(value).__name__}' object cannot be interpreted as a number: {name}")
    if not -MOST_NUMBER < value < MOST_NUMBER:
        refuse(f"Overflow when unpacking long: {name}")
    return value


def _whole(parameters: dict[str, Any], name: str, usual: int) -> int:
    number = _number(parameters, name, usual)
    if number != int(number):
        refuse(f"'float' object cannot be interpreted as an integer: {name}")
    return int(number)
