"""Writes models that have random weights and the formats of the real ones: MusicGen mono and stereo, Stable Diffusion.

It runs in the toolkit's environment: `python tiny_models.py FOLDER`. They answer noise, within seconds, on a CPU.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    EncodecConfig,
    EncodecFeatureExtractor,
    EncodecModel,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForCausalLM,
    MusicgenForConditionalGeneration,
    MusicgenProcessor,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)
from transformers.models.clip.tokenization_clip import bytes_to_unicode

WIDTH = 16
CODES = 1024
CODEBOOKS = 4
RATE = 32_000  # samples a second, as MusicGen's codec has


def main(folder: Path) -> None:
    """Each model in its own folder."""
    torch.manual_seed(0)
    music(folder / "mono", channels=1)
    music(folder / "stereo", channels=2)
    image(folder / "image")


def music(folder: Path, *, channels: int) -> None:
    """MusicGen with its processor; a stereo model has twice the codebooks."""
    text = T5EncoderModel(T5Config(vocab_size=256, d_model=WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2))
    codec = EncodecModel(
        EncodecConfig(
            target_bandwidths=[2.2],
            sampling_rate=RATE,
            upsampling_ratios=[8, 5, 4, 4],  # 50 frames a second
            num_filters=4,
            num_lstm_layers=1,
            hidden_size=WIDTH,
            codebook_size=CODES,
            codebook_dim=WIDTH,
        )
    )
    decoder = MusicgenForCausalLM(
        MusicgenDecoderConfig(
            vocab_size=CODES,
            hidden_size=WIDTH,
            ffn_dim=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_codebooks=CODEBOOKS * channels,
            audio_channels=channels,
        )
    )
    config = MusicgenConfig.from_sub_models_config(text.config, codec.config, decoder.config)
    model = MusicgenForConditionalGeneration(config=config, text_encoder=text, audio_encoder=codec, decoder=decoder)
    settings = model.generation_config
    settings.decoder_start_token_id = settings.pad_token_id = CODES
    settings.do_sample, settings.guidance_scale, settings.max_length = True, 3.0, 1_500
    model.save_pretrained(folder)
    extractor = EncodecFeatureExtractor(feature_size=channels, sampling_rate=RATE)
    MusicgenProcessor(extractor, _words()).save_pretrained(folder)


def _words() -> T5TokenizerFast:
    letters = [(chr(code), -1.0) for code in range(ord(" "), ord("~"))]
    tokenizer = Tokenizer(Unigram([("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), *letters], unk_id=2))
    tokenizer.pre_tokenizer = Metaspace()
    return T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=0)


def image(folder: Path) -> None:
    """Stable Diffusion with its tokenizer."""
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(4,) * 4,  # four: a latent pixel is eight of the image
            latent_channels=4,
            norm_num_groups=2,
            sample_size=512,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=514,
                hidden_size=WIDTH,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                bos_token_id=512,
                eos_token_id=513,
                pad_token_id=513,
            )
        ),
        tokenizer=_syllables(),
        unet=UNet2DConditionModel(
            sample_size=64,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            attention_head_dim=4,
            cross_attention_dim=WIDTH,
        ),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def _syllables() -> CLIPTokenizer:
    letters = list(bytes_to_unicode().values())
    entries = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, merges = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocabulary.write_text(json.dumps({entry: number for number, entry in enumerate(entries)}))
        merges.write_text("#version: 0.2\n")
        return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
