"""Recordings as spectrograms, and noise at a stated ratio: known values, without any data."""

from io import BytesIO

import numpy as np
import pytest
from scipy.io import wavfile

from mmbench.core.errors import MmbenchError
from mmbench.data.real import _sound
from mmbench.data.real.avmnist import _mixed, _Projection


def wav(samples, rate=_sound.RATE):
    file = BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def test_a_recording_is_read_as_numbers_from_minus_one_to_one():
    np.testing.assert_array_equal(_sound.decode(wav(np.array([0, 16384, -32768], np.int16))), [0, 0.5, -1])


@pytest.mark.parametrize(
    "content",
    [wav(np.zeros(9, np.int16), 44_100), wav(np.zeros((9, 2), np.int16)), wav(np.zeros(9, np.float32)), b"RIFFnothing"],
    ids=["rate", "stereo", "floats", "no sound"],
)
def test_another_recording_is_refused(content):
    with pytest.raises(MmbenchError, match="recording"):
        _sound.decode(content)


@pytest.mark.parametrize("samples", [100, _sound.SAMPLES, 20_001])
def test_a_clip_is_the_middle(samples):
    signal = np.zeros(samples)
    signal[samples // 2] = 1
    clip = _sound.clip(signal)
    assert clip.shape == (_sound.SAMPLES,)
    assert abs(int(clip.argmax()) - _sound.SAMPLES // 2) <= 1


def test_a_higher_tone_is_in_a_higher_band_and_a_later_one_in_a_later_frame():
    time = np.arange(_sound.SAMPLES) / _sound.RATE
    tones = np.stack([np.sin(2 * np.pi * frequency * time) for frequency in (300, 1000, 3000)])
    tones[:, : _sound.SAMPLES // 2] = 0
    images = _sound.spectrograms(tones, 32)
    assert images.shape == (3, 32, 32)
    bands = images.max(2).argmax(1)
    assert bands[0] < bands[1] < bands[2]
    assert not images[:, :, :12].any()
    assert (images.max((1, 2)) == 255).all()


def test_loudness_does_not_matter_and_silence_is_no_error():
    signal = np.random.default_rng(0).normal(size=(1, _sound.SAMPLES))
    np.testing.assert_array_equal(_sound.spectrograms(signal, 16), _sound.spectrograms(signal / 8, 16))
    assert np.isfinite(_sound.spectrograms(np.zeros((1, _sound.SAMPLES)), 16)).all()


@pytest.mark.parametrize("snr", [-12.0, 0.0, 6.0])
def test_noise_is_as_loud_as_stated(snr):
    rng = np.random.default_rng(0)
    clean, noise = rng.normal(size=(2, 4, _sound.SAMPLES)) * np.array([1.0, 5.0])[:, None, None]
    added = _mixed(clean, noise, snr) - clean
    ratio = 10 * np.log10(np.square(clean).mean(1) / np.square(added).mean(1))
    np.testing.assert_allclose(ratio, snr, atol=1e-9)


def test_the_projection_keeps_the_share_of_variance_that_it_is_given():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(4, 28 * 28)) * np.array([40, 20, 10, 5])[:, None]
    flat = 128 + rng.normal(size=(300, 4)) @ basis / 10
    images = np.clip(flat, 0, 255).astype(np.uint8).reshape(-1, 28, 28)
    spread = [np.var(_Projection(images, energy)(images), axis=0).sum() for energy in (0.3, 0.9, 0.999)]
    whole = np.var(images, axis=0).sum()
    assert spread[0] < spread[1] < spread[2]
    assert spread[0] / whole > 0.29
    assert spread[2] / whole == pytest.approx(1, abs=0.01)
