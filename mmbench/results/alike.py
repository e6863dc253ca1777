"""Sources of the core that score alike, so that published rows outlive a change that only adds. Light.

A cell's key holds a hash of the source that computes scores (``provenance.core_source``). A change that adds
what no earlier cell uses (a card's field, an encoder under a new name) changes the hash, yet no score. It is
then entered here, once published cells have been run with it and gave the same to the last digit; what changes
any score does not belong here: those cells are to be run again. ``tests/test_leaderboards.py`` runs some.

To enter the present source: ``python -m mmbench.results.alike`` prints its hash.
"""

# {hash: the hash under which its results are kept}; each with what was added.
ALIKE: dict[str, str] = {
    # an encoder under a new name, two fields of a card: 44 cells of 5 methods and 9 datasets equal to the digit
    "8a23cc94495722021975067590e4d66f": "b0ea25656e851393e10b9e3dda379055",
    # the trainer may be watched, records have a curve, two more combinations are refused: 44 cells, as above
    "07314b313554203210b1a54621176114": "b0ea25656e851393e10b9e3dda379055",
    # more combinations without effect are refused: 44 cells, as above
    "3d576f325cd7944a7ecdacfc9a054c69": "b0ea25656e851393e10b9e3dda379055",
    # the trainer tells where its time went, cards of measures, scores one at a time: 44 cells, as above
    "ee2a00e9f60a8b90d7860db81233e062": "b0ea25656e851393e10b9e3dda379055",
    # predictions and their scores in a file of their own: 44 cells, as above
    "39f8b67a72349fb4ff4c1d653bfff800": "b0ea25656e851393e10b9e3dda379055",
    # scores of measures that have no direction: 44 cells, as above
    "a7832bb88edb205e65165cbb6038f3ae": "b0ea25656e851393e10b9e3dda379055",
}


def published_as(source: str) -> str:
    """The hash under which results of a source are kept."""
    return ALIKE.get(source, source)


if __name__ == "__main__":
    from mmbench.results.provenance import scoring_files_source

    print(scoring_files_source())
