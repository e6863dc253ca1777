"""The card file that ``mmbench data init`` writes: every field with an example. Light.

Lines that begin with ``#:`` are examples of what may stand there instead.
"""

TEMPLATE = """\
# What mmbench has to know of your data. Fill in what stands in <…>, and remove what you do not need.
# Lines that begin with "#:" are examples: remove the "#:" to use one. All paths are relative to this folder.

name = "{name}"  # under which results are kept: letters, digits and "_.-"
summary = "<one line: what is predicted from what>"

# The column to predict. Several columns are several numbers (regression) or labels (multilabel).
target = "<label>"
#: target = ["valence", "arousal"]

# Optional. What makes samples dependent (speaker, person, video): no group may stand in two splits.
#: group = "speaker"
# Optional. A column that tells samples apart: an id that stands twice is an error.
#: id = "id"

# Optional, shown with the dataset.
licence = ""
citation = ""
source = ""
notes = ""
# Optional: what `mmbench data check` finds and you know, word for word.
#: findings = ["1 row of test is equal to a row of train in every modality (class agrees)"]

[task]
# classification (one class a sample), multilabel (several 0/1), regression (numbers),
# verification and anomaly (one 0/1), or retrieval (no target)
kind = "classification"
# Names of the classes as they stand in the column, or for columns of 0, 1, …: how many there are.
classes = ["<first class>", "<second class>"]
#: outputs = 2
# Optional: the score that ranks methods. By default that of the kind (accuracy, macro_f1, rmse, …).
#: metric = "balanced_accuracy"

# Which rows are train, validation and test. A table is a .csv, .parquet or .npz file; several files in a list
# stand side by side (row k of each is one sample). One of three ways:
# 1. a file for each split; validation or test may also be a share of train's rows
[split]
train = "<train.csv>"
validation = "<validation.csv>"
test = "<test.csv>"
# 2. one table with a column that holds "train", "validation" or "test" (other words: validation = "dev")
#: table = "samples.csv"
#: column = "split"
# 3. one table whose rows are drawn: whole groups where there is a group, else each class in proportion
#: table = ["samples.csv", "features.npz"]
#: validation = 0.2
#: test = 0.2
#: seed = 0

# One section for each modality, under a name of your choice. An empty cell means: this sample has none of it.

[modalities.photo]
kind = "image"
file = "<photo>"  # column of paths; an image file is what Pillow reads
size = [64, 64]  # height and width to resize to; without it all have to be of one size
channels = 3  # 3 colour, 1 grey

[modalities.measurements]
kind = "vector"
column = ["<age>", "<weight>"]  # columns of numbers; or one column of lists, or an array (N,D) of an npz file

# A log-mel spectrogram of WAV files
#: [modalities.sound]
#: kind = "spectrogram"
#: file = "recording"
#: sample_rate = 16000  # that every file has to have; without it they only have to agree
#: seconds = 2.0  # to which sounds are cut or filled with silence
#: mels = 40  # bands
#: window = 0.025  # of a frame, in seconds
#: hop = 0.010  # from frame to frame, in seconds

# A sequence: lists of frames (T,C) or of numbers, an array (N,T,C), or, with file, the frames of WAV files
#: [modalities.motion]
#: kind = "sequence"
#: column = "frames"
#: length = 100  # the most frames, longer ones lose their end; without it as many as the longest has
#: lengths = "frame_count"  # optional column: how many frames of a padded array are real
#: rate = 25.0  # optional: frames a second

# Text: words in lower case, of which the most frequent of train get an id. Or lists of ids that you have made
# yourself, where 0 is padding.
#: [modalities.caption]
#: kind = "tokens"
#: column = "caption"
#: vocabulary = 5000  # ids, 0 (padding) and 1 (unknown) among them
#: length = 50  # the most words

# Every modality may also have
#: shape = [3, 64, 64]  # that samples have to have: (C,H,W), (D), (T,C) or (T)
#: encoder = ""  # one of the harness's encoders by name; empty is the usual one of the kind
"""


def card_text(name: str) -> str:
    """A card file to fill in, for a dataset of this name."""
    return TEMPLATE.format(name=name)
