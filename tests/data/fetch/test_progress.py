"""What is shown while files come in."""

import io

from mmbench.cli.data.downloads import Bars, Lines, make_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def tell(progress):
    progress.say("a line with [brackets]")
    for total in (2**21, None):
        progress.begin("file[1].gz", total)
        for done in (0, 2**20, 2**21):
            progress.at(done)
        progress.end()


def test_lines_name_every_file_once():
    stream = io.StringIO()
    tell(make_progress(stream))
    assert stream.getvalue().splitlines() == [
        "a line with [brackets]",
        "  file[1].gz: 2.0 MiB",
        "  file[1].gz: 2.0 MiB",
    ]
    assert isinstance(make_progress(stream), Lines)


def test_bars_are_for_terminals():
    stream = Terminal()
    progress = make_progress(stream)
    assert isinstance(progress, Bars)
    tell(progress)
    assert "a line with [brackets]" in stream.getvalue()
    assert "file[1].gz" in stream.getvalue()
    assert "2.0/2.0 MiB" in stream.getvalue()
