"""What is asked of the Hugging Face Hub before anything is loaded: the commit of a dataset, and its card file."""

import re
from pathlib import Path
from urllib.parse import quote

from mmbench.core.errors import MmbenchError
from mmbench.data.cache import cache_root
from mmbench.data.own.card import FILE
from mmbench.results.store import write_whole

COMMIT = re.compile(r"[0-9a-f]{40}")


def commit(repository: str, revision: str = "") -> str:
    """The commit that a branch or tag (the main branch, if empty) stands for.

    Where the Hub cannot be reached, it is the one that was found the last time, which the cache keeps.

    Raises:
        MmbenchError: if there is no such dataset or revision, or it cannot be asked for.
    """
    if COMMIT.fullmatch(revision):
        return revision
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    kept = cache_root() / "hub" / quote(repository, safe="") / f"{quote(revision, safe='') or 'main'}.txt"
    try:
        found = str(HfApi().dataset_info(repository, revision=revision or None).sha)
    except GatedRepoError:
        raise MmbenchError(f"hf:{repository}: you have to ask for access to it on the Hub, and log in") from None
    except RevisionNotFoundError:
        raise MmbenchError(f"hf:{repository} has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise MmbenchError(
            f"there is no dataset hf:{repository} that you may read; private ones need a login"
        ) from None
    except (HfHubHTTPError, HFValidationError) as error:
        raise MmbenchError(f"hf:{repository}: {_first_line(error)}") from None
    except Exception as error:  # of connecting: the HTTP client and its errors differ between versions of the library
        if kept.is_file():
            return kept.read_text().strip()
        raise MmbenchError(
            f"hf:{repository}: the Hub cannot be reached ({_first_line(error)}), "
            f"and its revision {revision or 'main'} was never looked up here"
        ) from None
    if not COMMIT.fullmatch(found):
        raise MmbenchError(f"hf:{repository}: the Hub states no commit of it")
    write_whole(kept, found.encode())
    return found


def card_file(repository: str, of_commit: str) -> Path:
    """The card file that a dataset of the Hub brings itself.

    Raises:
        MmbenchError: if it has none.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repository, FILE, repo_type="dataset", revision=of_commit))
    except LocalEntryNotFoundError:  # a kind of EntryNotFoundError
        raise MmbenchError(
            f"hf:{repository}: the Hub cannot be reached, and its {FILE} was never fetched here"
        ) from None
    except EntryNotFoundError:
        raise MmbenchError(
            f"hf:{repository} has no {FILE}: write one (`mmbench data init mycard`), "
            f"and give it: hf:{repository}[card=mycard/{FILE}]"
        ) from None
    except Exception as error:  # as above
        raise MmbenchError(f"hf:{repository}: {FILE} cannot be fetched: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
