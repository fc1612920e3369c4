"""How much is tried, and what has a session of its own."""

import os

from hypothesis import settings

# Of the examples that are made up, a few each time; many with HYPOTHESIS_PROFILE=ci.
settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=1500, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# They run when they are named, as tests/__main__.py does: a process has one Keras.
collect_ignore = ["browser", "graph_capture", "keras_backend"]
