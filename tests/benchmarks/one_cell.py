"""One cell as a program of its own: ``python one_cell.py METHOD DATASET SEED``.

It does the least that a cell is: data from the cache, training, predictions on test, accuracy.
"""

import sys
from functools import partial

import torch

from mmbench.data.cache import prepare
from mmbench.data.splits import load_splits
from mmbench.registry import installed, load
from mmbench.train.run import CellRun, as_estimator

method, dataset, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(1)
cards = installed()
prepared = prepare(cards.datasets[dataset], {})
splits = load_splits(prepared.task, prepared.folder).to("cpu", torch.float32)
card = cards.methods[method]
run = CellRun(prepared.task, seed, options=cards.datasets[dataset].training)
estimator = as_estimator(partial(load(card), prepared.task, **card.preset), seed, method)
estimator.fit(splits.train, splits.validation, run)
prediction = estimator.predict(splits.test.withheld())
print(float((prediction.argmax(1) == splits.test.target).float().mean()))
