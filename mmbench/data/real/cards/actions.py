"""What people say and do: ``mosi``, ``mosi-dialogue``, ``hapt``, ``hapt-auth`` and ``utd-mhad``."""

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.real.cards.measured import FINDINGS, FINGERPRINTS, MINUTES

HERE = "mmbench.data.real"
MOSI = {"text": 100, "audio": 73, "video": 100}
MOSI_WORDS = (1_000, 40)  # ids, and words of an utterance at most
HAPT = {"accelerometer": "acc", "gyroscope": "gyro"}  # with their names in the file
HAPT_STEPS, HAPT_RATE = 128, 50.0
UTD_STEPS = {"inertial": 326, "skeleton": 125}
SEQUENCES = {"lr": 2e-3, "weight_decay": 1e-2, "batch": 64, "warmup": 0.1, "schedule": "cosine"}


def mosi(transcript: bool = False) -> Task:
    modalities = [Modality(name, "vector", (width,)) for name, width in MOSI.items()]
    if transcript:
        words, length = MOSI_WORDS
        modalities.append(Modality("transcript", "tokens", (length,), vocabulary=words))
    return Task("classification", 2, tuple(modalities))


def mosi_dialogue(around: int = 4) -> Task:
    frames = 2 * around + 1
    return Task(
        "classification", 2, tuple(Modality(name, "sequence", (frames, width + 1)) for name, width in MOSI.items())
    )


def hapt() -> Task:
    return Task("classification", 6, _sensors())


def hapt_auth() -> Task:
    return Task("verification", 1, _sensors())


def utd_mhad(depth: str = "small") -> Task:
    video = (8, 1, 30, 40) if depth == "small" else (16, 1, 60, 80)
    return Task(
        "classification",
        27,
        (
            Modality("inertial", "sequence", (UTD_STEPS["inertial"], 6), rate=50.0),
            Modality("skeleton", "sequence", (UTD_STEPS["skeleton"], 60), rate=30.0),
            Modality("depth", "sequence", video),
        ),
    )


def _sensors() -> tuple[Modality, ...]:
    return tuple(Modality(name, "sequence", (HAPT_STEPS, 3), rate=HAPT_RATE) for name in HAPT)


_MOSI_CITATION = (
    "A. Zadeh, R. Zellers, E. Pincus, L.-P. Morency, MOSI: Multimodal Corpus of Sentiment Intensity and Subjectivity "
    "Analysis in Online Opinion Videos, IEEE Intelligent Systems 31(6), 2016. Features and split: S. Poria, E. "
    "Cambria, D. Hazarika, N. Majumder, A. Zadeh, L.-P. Morency, Context-Dependent Sentiment Analysis in "
    "User-Generated Videos, ACL 2017."
)
_MOSI_SOURCE = "https://github.com/declare-lab/contextual-utterance-level-multimodal-sentiment-analysis"
_MOSI_LICENCE = "not stated in the repository read; the corpus itself is for research"
_HAPT_CITATION = (
    "J.-L. Reyes-Ortiz, L. Oneto, A. Sama, X. Parra, D. Anguita, Transition-Aware Human Activity Recognition Using "
    "Smartphones, Neurocomputing 171, 2016; UCI data set 341, version 2.1."
)
_HAPT_LICENCE = "not stated in the README of the data"
_HAPT_SOURCE = "UCI data set 341, as in https://github.com/buissonvalentin/Projet-python-for-datascience"

CARDS = (
    DatasetCard(
        name="mosi",
        summary="is an utterance in a video positive? Text, voice and face",
        build=f"{HERE}.mosi:build",
        task=mosi(),
        sizes=(1_142, 305, 752),
        group="video",
        collections=("mosi",),
        content=FINGERPRINTS["mosi"],
        findings=FINDINGS.get("mosi", ()),
        minutes=MINUTES.get("mosi"),
        licence=_MOSI_LICENCE,
        citation=_MOSI_CITATION,
        source=_MOSI_SOURCE,
        notes="Features of the bc-LSTM paper, its split of 62 and 31 videos; 12 videos of train are the validation. "
        "Labels are binary (1 positive): the intensity from -3 to 3 is not in this version, nor are the features of "
        "later papers, so their figures are not comparable. 49 percent of train and 62 percent of test are positive: "
        "look at AUROC and balanced accuracy beside accuracy. Text tells nearly everything. mosi[transcript=true] adds "
        "the words as tokens.",
    ),
    DatasetCard(
        name="mosi-dialogue",
        summary="the same with the utterances before and after it, as sequences",
        build=f"{HERE}.mosi:build_dialogue",
        task=mosi_dialogue(),
        sizes=(1_142, 305, 752),
        group="video",
        training={**SEQUENCES, "epochs": 10},
        collections=("mosi",),
        content=FINGERPRINTS["mosi-dialogue"],
        findings=FINDINGS.get("mosi-dialogue", ()),
        minutes=MINUTES.get("mosi-dialogue"),
        licence=_MOSI_LICENCE,
        citation=_MOSI_CITATION,
        source=_MOSI_SOURCE,
        notes="Four utterances on each side; the last feature of each modality marks the one that is judged. Rows of a "
        "video overlap; none stands in two splits.",
    ),
    DatasetCard(
        name="hapt",
        summary="what somebody does, from the accelerometer and the gyroscope of a phone at the waist",
        build=f"{HERE}.hapt:build",
        task=hapt(),
        sizes=(3_021, 1_374, 2_996),
        group="person",
        training={**SEQUENCES, "epochs": 8},
        protocols={"quick": {"every": 8}},
        collections=("hapt",),
        content=FINGERPRINTS["hapt"],
        findings=FINDINGS.get("hapt", ()),
        minutes=MINUTES.get("hapt"),
        licence=_HAPT_LICENCE,
        citation=_HAPT_CITATION,
        source=_HAPT_SOURCE,
        notes="Windows of 128 samples (2.56 s at 50 Hz) of the raw recordings, six basic activities. The nine people "
        "of the test are the official ones; four of train are the validation. Windows overlap by half, and every "
        "second one of train is used (hapt[every=1] uses all). They are not the windows of UCI HAR, whose figures are "
        "not comparable. Intervals resample nine people: they are rough.",
    ),
    DatasetCard(
        name="hapt-auth",
        summary="is this one of the registered people? From the same sensors, while they walk",
        build=f"{HERE}.hapt:build_auth",
        task=hapt_auth(),
        sizes=(1_434, 495, 901),
        group="person",
        training={**SEQUENCES, "epochs": 12},
        collections=("hapt",),
        content=FINGERPRINTS["hapt-auth"],
        findings=FINDINGS.get("hapt-auth", ()),
        minutes=MINUTES.get("hapt-auth"),
        licence=_HAPT_LICENCE,
        citation=_HAPT_CITATION,
        source=_HAPT_SOURCE,
        notes="Six people are registered: train holds their first recordings and those of twelve others; validation "
        "and test the earlier and the later half of their second recordings, and those of four and of eight people who "
        "are in no other split. Enrolled and probe windows are thus apart in time, and impostors are strangers. "
        "Windows of 2.56 s of walking, level, up and down stairs.",
    ),
    DatasetCard(
        name="utd-mhad",
        summary="which of 27 actions, from an inertial sensor, a skeleton and depth video with clocks of their own",
        build=f"{HERE}.utd_mhad:build",
        task=utd_mhad(),
        sizes=(323, 108, 430),
        group="subject",
        training={**SEQUENCES, "batch": 16, "epochs": 24},
        protocols={"quick": "long sequences and video take minutes a method; run it under standard"},
        collections=("utd_mhad",),
        content=FINGERPRINTS["utd-mhad"],
        findings=FINDINGS.get("utd-mhad", ()),
        minutes=MINUTES.get("utd-mhad"),
        licence="not stated in the repository read; the authors' page offers it for research and asks for citation",
        citation="C. Chen, R. Jafari, N. Kehtarnavaz, UTD-MHAD: A Multimodal Dataset for Human Action Recognition "
        "Utilizing a Depth Camera and a Wearable Inertial Sensor, ICIP 2015.",
        source="https://github.com/woo-chia-wei/kinect-sequence-classification",
        notes="The asynchronous case: 107 to 326 inertial steps at 50 Hz, 41 to 125 skeleton frames at 30 Hz, and 8 "
        "depth frames spread over the clip (30×40 pixels; utd-mhad[depth=full] has 16 of 60×80). Cross-subject as in "
        "the paper: subjects 1, 3, 5, 7 against 2, 4, 6, 8; subject 7 is the validation here, so that methods train on "
        "three people. Intervals resample four people: they are rough. RGB video is not here.",
    ),
)
