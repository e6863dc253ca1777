"""Images and sounds become the numbers that they should, and what is neither is told."""

import io

import numpy as np
import pytest
from PIL import Image

from mmbench.data.own import decode
from mmbench.data.own.modality import Sound

RATE = 8000


def saved(picture, kind="PNG"):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def tone(frequency, seconds=1.0, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def test_an_image_is_channels_first_and_as_it_was_saved():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    found = decode.image(saved(Image.fromarray(pixels)), 3, ())
    assert found.dtype == np.uint8
    assert np.array_equal(found, pixels.transpose(2, 0, 1))


def test_grey_and_size_are_obeyed():
    picture = Image.new("RGB", (6, 4), (255, 0, 0))
    found = decode.image(saved(picture), 1, (8, 2))
    assert found.shape == (1, 8, 2)
    assert set(found.ravel().tolist()) == {76}  # 0.299 of 255


def test_a_turned_photograph_is_turned_back():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees, clockwise
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    assert np.array_equal(decode.image(buffer.getvalue(), 1, ())[0], np.rot90(pixels, -1))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no image that Pillow can read"),
        (b"no image at all", "no image that Pillow can read"),
        (saved(Image.effect_noise((64, 64), 50))[:600], "damaged image"),
        (saved(Image.fromarray(np.zeros((4, 4), dtype=np.uint16))), "convert it to 8 bits"),
    ],
)
def test_what_is_no_image_is_told(content, told):
    with pytest.raises(decode.UndecodableError, match=told):
        decode.image(content, 3, ())


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "float32"])
def test_all_sample_types_have_one_scale(dtype):
    from scipy.io import wavfile

    scale = {"int16": 2**15, "int32": 2**31, "uint8": 2**7, "float32": 1}[dtype]
    values = tone(440.0, 0.1) * scale + (128 if dtype == "uint8" else 0)
    buffer = io.BytesIO()
    wavfile.write(buffer, RATE, values.astype(dtype))
    rate, samples = decode.wav(buffer.getvalue())
    assert rate == RATE
    assert np.abs(samples - tone(440.0, 0.1)).max() < 1 / 100


def test_channels_are_averaged():
    from scipy.io import wavfile

    buffer = io.BytesIO()
    wavfile.write(buffer, RATE, np.stack([tone(300.0), -tone(300.0)], axis=1).astype(np.float32))
    assert np.abs(decode.wav(buffer.getvalue())[1]).max() < 1e-6


def wav_of(samples):
    from scipy.io import wavfile

    buffer = io.BytesIO()
    wavfile.write(buffer, RATE, samples)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"RIFF", "no WAV file"),
        (b"", "no WAV file"),
        (b"ID3 an mp3 perhaps", "no WAV file"),
        (wav_of(np.zeros(0, dtype=np.int16)), "without samples"),
        (wav_of(np.full(10, np.nan, dtype=np.float32)), "NaN or infinite"),
        (wav_of(np.zeros(1000, dtype=np.int16))[:500], "cut short"),
    ],
)
def test_what_is_no_sound_is_told(content, told):
    with pytest.raises(decode.UndecodableError, match=told):
        decode.wav(content)


def test_a_tone_stands_in_the_band_of_its_pitch():
    sound = Sound(mels=30)
    peaks = [int(decode.log_mel(tone(f), RATE, sound).mean(0).argmax()) for f in (200.0, 800.0, 3000.0)]
    edges = 2595 * np.log10(1 + np.array([200.0, 800.0, 3000.0]) / 700) / (2595 * np.log10(1 + 4000 / 700)) * 31 - 1
    assert np.abs(np.array(peaks) - edges).max() <= 1


def test_ten_times_the_amplitude_is_a_hundred_times_the_power():
    loud, soft = (decode.log_mel(tone(800.0) * gain, RATE, Sound()).max() for gain in (1.0, 0.1))
    assert loud - soft == pytest.approx(np.log(100), abs=1e-3)


def test_frames_are_counted_and_values_rounded():
    mels = decode.log_mel(tone(440.0, 1.0), RATE, Sound())
    assert mels.shape == (1 + (8000 - 200) // 80, 40)
    assert np.array_equal(mels, mels.astype(np.float64).round(4).astype(np.float32))
    assert decode.log_mel(tone(440.0, 0.001), RATE, Sound()).shape == (1, 40)
    assert decode.log_mel(tone(440.0, 3.0), RATE, Sound(seconds=1.0)).shape == mels.shape
    padded = decode.log_mel(tone(440.0, 0.5), RATE, Sound(seconds=1.0))
    assert padded.shape == mels.shape
    assert np.allclose(padded[-1], np.log(1e-10), atol=1e-4)


@pytest.mark.parametrize(
    ("sound", "told"), [(Sound(window=1e-5, hop=1e-5), "too short"), (Sound(mels=4000), "fewer mels")]
)
def test_settings_that_do_not_fit_are_told(sound, told):
    with pytest.raises(decode.UndecodableError, match=told):
        decode.log_mel(tone(440.0), RATE, sound)
