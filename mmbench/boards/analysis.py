"""``mmbench results analyse``: statistics of finished records, stored beside them."""

from functools import partial
from pathlib import Path

from mmbench.boards.gather import Gathering, dataset_folders, gather
from mmbench.boards.processes import side_by_side
from mmbench.boards.schema import RESAMPLES, SEED, Analysis, analysis_path, read_analysis, write_analysis
from mmbench.results import locks


def analyse(out: Path, resamples: int = RESAMPLES, jobs: int = 1) -> list[Path]:
    """Write an analysis for every dataset under every protocol below ``out``, one for each budget of its rows.

    The same files give the same bytes. An analysis that was made from these very records is left as
    it is: nothing is computed twice, and where no predictions lie beside the records (they are not
    committed), it is all there is.

    Args:
        out: folder of results.
        resamples: of the bootstrap.
        jobs: datasets side by side, each in a process.

    Returns:
        Paths of the analyses.
    """
    gatherings = {folder: gather(folder)[0] for folder in dataset_folders(out)}
    changed = [folder for folder, found in gatherings.items() if not all(_is_analysed(g, resamples) for g in found)]
    work = partial(_analyse_folder, resamples=resamples)
    if min(jobs, len(changed)) <= 1:
        for folder in changed:
            work(folder)
    else:
        side_by_side(work, changed, jobs)
    return [analysis_path(g.folder, g.budget) for found in gatherings.values() for g in found]


def _analyse_folder(folder: Path, resamples: int) -> None:
    """Analyse one dataset, unless another process does: then its analysis is waited for, and may do."""
    with locks.held(locks.of_analysis(folder)):
        for gathering in gather(folder)[0]:
            if not _is_analysed(gathering, resamples):
                from mmbench.boards.inference import analyse_dataset  # numpy; mostly there is nothing to compute

                write_analysis(folder, analyse_dataset(gathering, resamples), gathering.budget)


def _is_analysed(gathering: Gathering, resamples: int) -> bool:
    """Whether an analysis of these very records is there already."""
    before = read_analysis(gathering.folder, gathering.budget)
    if before is None or before.digest != gathering.digest:
        return False
    return _serves(before, gathering, resamples)


def _serves(before: Analysis, gathering: Gathering, resamples: int) -> bool:
    """Whether nothing could be added to an analysis of the same records."""
    if not any(path.with_suffix(".npz").exists() for row in gathering.rows for path in row.paths):
        return True
    same = (before.bootstrap.resamples, before.bootstrap.seed) == (resamples, SEED)
    return same and not any(row.reason for row in before.rows)
