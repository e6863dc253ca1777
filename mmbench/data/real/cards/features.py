"""Features and tables: ``handwritten``, ``rosmap``, ``wikipedia`` and ``houses``."""

from mmbench.core.cards import DatasetCard
from mmbench.core.modality import Modality
from mmbench.core.task import Task
from mmbench.data.real.cards.measured import FINDINGS, FINGERPRINTS, MINUTES

HERE = "mmbench.data.real"
# Views in the order of TMC, with their names in the file.
HANDWRITTEN = {
    "pixels": "pix",
    "fourier": "fou",
    "profile": "fac",
    "zernike": "zer",
    "karhunen": "kar",
    "morphology": "mor",
}
HANDWRITTEN_WIDTHS = (240, 76, 216, 47, 64, 6)
HOUSES_OFTEN = 10  # houses of a zip code that has a column of its own
HOUSES_TABULAR = 18  # columns
ROOMS = ("frontal", "bedroom", "bathroom", "kitchen")


def handwritten() -> Task:
    views = zip(HANDWRITTEN, HANDWRITTEN_WIDTHS, strict=True)
    return Task("classification", 10, tuple(Modality(name, "vector", (width,)) for name, width in views))


def rosmap() -> Task:
    return Task(
        "classification", 2, tuple(Modality(name, "vector", (200,)) for name in ("mrna", "methylation", "mirna"))
    )


def wikipedia(text: str = "topics") -> Task:
    words = Modality("text", "vector", (1000 if text == "words" else 10,))
    return Task("classification", 10, (Modality("image", "vector", (128,)), words))


def houses(side: int = 32) -> Task:
    images = tuple(Modality(room, "image", (3, side, side)) for room in ROOMS)
    return Task("regression", 1, (*images, Modality("tabular", "vector", (HOUSES_TABULAR,))))


CARDS = (
    DatasetCard(
        name="handwritten",
        summary="handwritten digits, from six sets of features",
        build=f"{HERE}.handwritten:build",
        task=handwritten(),
        sizes=(1_280, 320, 400),
        collections=("handwritten",),
        content=FINGERPRINTS["handwritten"],
        findings=FINDINGS.get("handwritten", ()),
        minutes=MINUTES.get("handwritten"),
        licence="not stated in the repositories read",
        citation="R. P. W. Duin, Multiple Features, UCI Machine Learning Repository, 1998. M. van Breukelen, R. P. W. "
        "Duin, D. M. J. Tax, J. E. den Hartog, Handwritten digit recognition by combined classifiers, Kybernetika "
        "34(4), 1998. Split: Z. Han, C. Zhang, H. Fu, J. T. Zhou, Trusted Multi-View Classification, ICLR 2021.",
        source="https://github.com/jiajunsi/RCML (features), https://github.com/hanmenghan/TMC (split)",
        notes="The test is the split published with TMC; 320 of its 1,600 training rows are the validation, so that "
        "methods train on fewer rows than those of the literature. handwritten[split=random,seed=1] is another split. "
        "400 test rows: one of them is .25 points.",
    ),
    DatasetCard(
        name="rosmap",
        summary="Alzheimer's disease or not, from mRNA, DNA methylation and miRNA of the same brains",
        build=f"{HERE}.rosmap:build",
        task=rosmap(),
        sizes=(196, 49, 106),
        collections=("rosmap",),
        content=FINGERPRINTS["rosmap"],
        findings=FINDINGS.get("rosmap", ()),
        minutes=MINUTES.get("rosmap"),
        licence="MIT (the repository); the study itself has terms of its own for the raw data",
        citation="T. Wang, W. Shao, Z. Huang, H. Tang, J. Zhang, Z. Ding, K. Huang, MOGONET integrates multi-omics "
        "data using graph convolutional networks allowing patient classification and biomarker identification, Nature "
        "Communications 12, 2021.",
        source="https://github.com/txWang/MOGONET",
        notes="The test is the published split; 49 of the 245 training rows are the validation. The features were "
        "chosen by the authors. 106 test rows: a difference of some points is noise.",
    ),
    DatasetCard(
        name="wikipedia",
        summary="the subject of a Wikipedia article, from its text and an image in it",
        build=f"{HERE}.wikipedia:build",
        task=wikipedia(),
        sizes=(1_738, 435, 693),
        collections=("wikipedia",),
        content=FINGERPRINTS["wikipedia"],
        findings=FINDINGS.get("wikipedia", ()),
        minutes=MINUTES.get("wikipedia"),
        licence="not stated; texts and images are from Wikipedia, and only features are here",
        citation="N. Rasiwasia, J. Costa Pereira, E. Coviello, G. Doyle, G. R. G. Lanckriet, R. Levy, N. Vasconcelos, "
        "A New Approach to Cross-Modal Multimedia Retrieval, ACM Multimedia 2010.",
        source="https://github.com/azrealwang/sph",
        notes="The test is the official split; 435 of the 2,173 training rows are the validation. The text tells far "
        "more than the image. wikipedia[text=words] has tf-idf of the words instead of ten topics: these were added "
        "later, by the repository.",
    ),
    DatasetCard(
        name="houses",
        summary="the price of a house, from four photographs and its attributes",
        build=f"{HERE}.houses:build",
        task=houses(),
        sizes=(321, 80, 134),
        training={"batch": 32, "epochs": 30},
        collections=("houses",),
        content=FINGERPRINTS["houses"],
        findings=FINDINGS.get("houses", ()),
        minutes=MINUTES.get("houses"),
        licence="not stated; its README asks for citation",
        citation="E. Ahmed, M. Moustafa, House Price Estimation from Visual and Textual Features, IJCCI 2016, "
        "arXiv:1609.08399.",
        source="https://github.com/emanhamed/Houses-dataset",
        notes="The target is the natural logarithm of the price in US dollars: an RMSE of .3 is about 30 percent. "
        "There is no official split; this one is seeded and stratified by price. Columns of zip codes are those of at "
        f"least {HOUSES_OFTEN} houses. Concatenation of everything is worse than the table alone for a linear model.",
    ),
)
