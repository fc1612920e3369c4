"""How much is tried, and what has a session of its own."""

import os

from hypothesis import settings

# Of the examples that are made up, a few each time; more with HYPOTHESIS_PROFILE=ci, where
# test_fuzz.py has 1,500, and `make fuzz`, where it has 10,000. No test fails for taking long.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# They run when they are named, as tests/__main__.py does: a process has one Keras.
collect_ignore = ["browser", "graph_capture", "keras_backend"]
