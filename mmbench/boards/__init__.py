"""Boards: from result files to leaderboards.

``analysis.analyse`` (numpy) computes intervals and comparisons and stores them beside the records;
``board.load_boards`` and what renders a board read those files alone and import no numpy.
"""
