"""Pictures of results: from result files to PNG or SVG. Nothing is run, and Matplotlib is imported when something
is drawn.

``plot.plot`` draws what there are data for; each kind of picture has a module of its own.
"""
