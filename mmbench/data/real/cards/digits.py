"""Digits seen and heard: ``avmnist`` and ``spoken-digits``."""

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.real.cards.measured import FINDINGS, FINGERPRINTS, MINUTES

AVMNIST_SIZES = {"small": (32, (5_000, 1_000, 2_000)), "full": (112, (55_000, 5_000, 10_000))}  # side and rows
SPOKEN_SIDE = 32
FSDD = (
    "Z. Jackson, C. Souza, J. Flaks, Y. Pan, H. Nicolas, A. Thite, Free Spoken Digit Dataset, Zenodo, "
    "doi 10.5281/zenodo.1342401."
)


def avmnist(side: int = 32) -> Task:
    image = Modality("image", "image", (1, 28, 28))
    return Task("classification", 10, (image, Modality("audio", "spectrogram", (1, side, side))))


def spoken_digits() -> Task:
    image = Modality("image", "image", (1, 8, 8))
    return Task("classification", 10, (image, Modality("audio", "spectrogram", (1, SPOKEN_SIDE, SPOKEN_SIDE))))


CARDS = (
    DatasetCard(
        name="avmnist",
        summary="handwritten digits, most of their energy removed, each with a spoken one in noise",
        build="mmbench.data.real.avmnist:build",
        task=avmnist(),
        sizes=(5_000, 1_000, 2_000),
        group="recording",
        training={"batch": 64, "epochs": 8, "lr": 2e-3, "schedule": "cosine", "warmup": 0.1},
        protocols={"quick": {"n_train": 1_500}},
        collections=("mnist", "fsdd", "esc50_noise"),
        content=FINGERPRINTS["avmnist"],
        findings=FINDINGS.get("avmnist", ()),
        minutes=MINUTES.get("avmnist"),
        licence="images: not stated by the source; recordings: CC BY-SA 4.0; noise: CC BY-NC 3.0 (not for commercial "
        "use), the attribution of every clip is among its files",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, "
        f"Proc. IEEE 86(11), 1998. {FSDD} K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM "
        "Multimedia 2015. The idea: V. Vielzeuf, A. Lechervy, S. Pateux, F. Jurie, CentralNet: a Multilayer Approach "
        "for Multimodal Fusion, ECCV Workshops 2018.",
        source="MNIST; https://github.com/Jakobovski/free-spoken-digit-dataset; https://github.com/karolpiczak/ESC-50",
        notes="Images keep a quarter of their variance (the first principal components of the training images); noise "
        "is 12 dB louder than the voice. Pairs are seeded. Images, recordings and noise clips of the splits are "
        "disjoint; the 2,000 test rows reuse 300 recordings (10,000 in avmnist[size=full]), so intervals resample "
        "recordings. The speakers are the same in all splits. Other versions of AV-MNIST differ in all of this: no "
        "published figure is comparable. avmnist[size=full] has 55,000/5,000/10,000 pairs and 112×112 "
        "spectrograms: for a GPU.",
    ),
    DatasetCard(
        name="spoken-digits",
        summary="real spoken digits, each with a real handwritten one",
        build="mmbench.data.real.spoken_digits:build",
        task=spoken_digits(),
        sizes=(2_400, 300, 300),
        training={"batch": 64, "epochs": 12, "lr": 2e-3, "schedule": "cosine", "warmup": 0.1},
        collections=("fsdd",),
        content=FINGERPRINTS["spoken-digits"],
        findings=FINDINGS.get("spoken-digits", ()),
        minutes=MINUTES.get("spoken-digits"),
        licence="CC BY-SA 4.0 (recordings); not stated by scikit-learn (images)",
        citation=f"{FSDD} E. Alpaydin, C. Kaynak (1998) Cascading Classifiers, Kybernetika.",
        source="https://github.com/Jakobovski/free-spoken-digit-dataset; scikit-learn, load_digits",
        notes="The test is the source's own: recordings 0 to 4 of each speaker and digit. The six speakers are the "
        "same in all splits: spoken-digits[split=speakers] keeps them apart, and is much harder. 300 test rows: "
        "differences of a few points are noise.",
    ),
)
