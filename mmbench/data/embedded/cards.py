"""Cards of the embedded datasets. Light: builders are named, not imported."""

from mmbench.core.cards import DatasetCard
from mmbench.data.embedded import tasks
from mmbench.data.embedded.tasks import Component

HERE = "mmbench.data.embedded"
GENERATED = (10_000, 2_000, 5_000)
SHORTER = {"quick": {"n_train": 2_000}}
SEQUENCE_TRAINING = {
    "lr": 2e-3,
    "weight_decay": 1e-2,
    "batch": 64,
    "warmup": 0.1,
    "schedule": "cosine",
    "epochs": 10,
}


def _pid(component: Component, ceiling: float, summary: str, notes: str) -> DatasetCard:
    return DatasetCard(
        name=f"pid-{component}",
        summary=summary,
        build=f"{HERE}.pid:build",
        task=tasks.pid(component),
        preset={"component": component},
        sizes=GENERATED,
        ceiling=ceiling,
        posterior=f"{HERE}.pid:posterior",
        protocols=SHORTER,
        licence="MIT",
        source="generated",
        notes=notes,
    )


CARDS = (
    DatasetCard(
        name="avdigits",
        summary="real handwritten digits, each with a synthetic spoken one; both are noisy",
        build=f"{HERE}.avdigits:build",
        task=tasks.avdigits(),
        sizes=(1000, 297, 500),
        training={"batch": 32, "epochs": 20},  # as good as the default at a third of the time
        licence="not stated by scikit-learn (images); MIT (sounds)",
        citation="E. Alpaydin, C. Kaynak (1998) Cascading Classifiers, Kybernetika.",
        source="scikit-learn, load_digits: a copy of the test set of the UCI ML hand-written digits datasets, "
        "https://archive.ics.uci.edu/ml/datasets/Optical+Recognition+of+Handwritten+Digits; sounds are generated",
        notes="Noise is such that either modality alone is mediocre. Image and sound are "
        "independent given the digit. The sounds come from a source-filter model, not from "
        "people. 13 people wrote the digits, scikit-learn does not say who which, so splits may share writers.",
    ),
    DatasetCard(
        name="breast-cancer-views",
        summary="breast masses, malignant or benign, from three views of the same cell nuclei",
        build=f"{HERE}.views:build_breast_cancer",
        task=tasks.breast_cancer(),
        sizes=(319, 100, 150),
        licence="not stated by scikit-learn",
        citation="W.N. Street, W.H. Wolberg and O.L. Mangasarian. Nuclear feature extraction for breast tumor "
        "diagnosis. IS&T/SPIE 1993 International Symposium on Electronic Imaging: Science and Technology, "
        "volume 1905, pages 861-870, San Jose, CA, 1993.",
        source="scikit-learn, load_breast_cancer: a copy of UCI ML Breast Cancer Wisconsin (Diagnostic) datasets, "
        "https://goo.gl/U2Uwz2",
        notes="Class 0 is malignant, 1 benign. The views are means, standard errors and worst values of ten features, "
        "thus largely redundant. 150 test rows: differences of a few points are noise.",
    ),
    DatasetCard(
        name="diabetes-views",
        summary="progression of diabetes after a year, from clinical data and blood serum",
        build=f"{HERE}.views:build_diabetes",
        task=tasks.diabetes(),
        sizes=(242, 80, 120),
        licence="not stated by scikit-learn",
        citation='Bradley Efron, Trevor Hastie, Iain Johnstone and Robert Tibshirani (2004) "Least Angle Regression," '
        "Annals of Statistics (with discussion), 407-499.",
        source="scikit-learn, load_diabetes(scaled=False): https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        notes="A quantitative measure of disease progression. 120 test rows: small differences are noise.",
    ),
    _pid(
        "redundant",
        0.88493,
        "a bit that both views show with the same noise: either is enough",
        "Pure redundancy: fusion cannot beat one view, but it can do without either.",
    ),
    _pid(
        "complementary",
        0.92538,
        "a bit that both views show, each with a noise of its own",
        "Alone, the first view allows .88493 and the second .78814; the sum of their evidence is optimal.",
    ),
    _pid(
        "unique",
        0.93319,
        "a bit of the first view; the second says nothing of it",
        "The second view is a distractor.",
    ),
    _pid(
        "synergy",
        0.83350,
        "the product of a bit from each view: neither says anything alone",
        "Any score that is linear in the concatenated views has AUROC ½.",
    ),
    _pid(
        "mixed",
        0.60558,
        "redundant, unique (in each view) and synergistic bits at once, as 16 classes",
        "Alone, the first view allows .20645 and the second .16578.",
    ),
    _pid(
        "bits",
        0.11665,
        "the bits of pid-mixed as four labels",
        "Labels: r (in both views), u1, u2 (in one each) and the product s1·s2; .11665 is the mean of their errors.",
    ),
    DatasetCard(
        name="paired",
        summary="matched against shuffled pairs of correlated views, as anomalies",
        build=f"{HERE}.paired:build",
        task=tasks.paired(),
        sizes=GENERATED,
        ceiling=0.90159,
        posterior=f"{HERE}.paired:posterior",
        protocols=SHORTER,
        licence="MIT",
        source="generated",
        notes="Anomalies are labelled in training, and half the rows. A view alone has AUROC ½.",
    ),
    DatasetCard(
        name="asynchronous",
        summary="which of several events, at other times, does the query mean? Content matching",
        build=f"{HERE}.sequences:build_asynchronous",
        task=tasks.asynchronous(),
        sizes=(20_000, 2_000, 5_000),
        ceiling=0.97071,
        posterior=f"{HERE}.sequences:posterior_asynchronous",
        training=SEQUENCE_TRAINING,
        protocols={"quick": "needs 20,000 samples and 10 epochs of small batches; run it under standard"},
        licence="MIT",
        source="generated",
        notes="A modality alone is at chance. The gap between methods is one of a finite budget: with more epochs, "
        "fusion of pooled features comes nearer.",
    ),
    DatasetCard(
        name="lagged",
        summary="at which of four lags does the second series follow the first?",
        build=f"{HERE}.sequences:build_lagged",
        task=tasks.lagged(),
        sizes=GENERATED,
        ceiling=0.90167,
        posterior=f"{HERE}.sequences:posterior_lagged",
        training=SEQUENCE_TRAINING,
        protocols={"quick": "needs 10,000 samples and 10 epochs of small batches; run it under standard"},
        licence="MIT",
        source="generated",
        notes="A modality alone is at chance, and so is fusion of pooled features: frames have to be compared.",
    ),
)
