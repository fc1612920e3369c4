"""See what penalty terms do to your training, in TensorBoard.

This is the whole public surface, with ``tb_regplugin.summary`` and ``tb_regplugin.plot``. Names
load on first use: importing the package imports neither TensorFlow nor Keras, and TensorBoard,
which imports it at start, does not wait for it.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tb_regplugin import plot as plot
    from tb_regplugin import summary as summary
    from tb_regplugin.capture.functions import Recorder as Recorder
    from tb_regplugin.capture.graph.audit import audit as audit
    from tb_regplugin.capture.graph.hook import RegularizationHook as RegularizationHook
    from tb_regplugin.capture.keras.callback import RegularizationCallback as RegularizationCallback
    from tb_regplugin.finding import Finding as Finding
    from tb_regplugin.reading.load import Recording as Recording
    from tb_regplugin.reading.load import load as load
    from tb_regplugin.terms import Term as Term
    from tb_regplugin.writing.writer import Writer as Writer

    __version__: str

# Where each name is.
_MODULES = {
    "Finding": "tb_regplugin.finding",
    "Recorder": "tb_regplugin.capture.functions",
    "Recording": "tb_regplugin.reading.load",
    "RegularizationCallback": "tb_regplugin.capture.keras.callback",
    "RegularizationHook": "tb_regplugin.capture.graph.hook",
    "Term": "tb_regplugin.terms",
    "Writer": "tb_regplugin.writing.writer",
    "audit": "tb_regplugin.capture.graph.audit",
    "load": "tb_regplugin.reading.load",
}
# What walks TensorFlow's graphs, or runs in them.
_OF_TENSORFLOW = ("Recorder", "RegularizationHook", "audit")

__all__ = [*_MODULES, "plot", "summary"]


def __getattr__(name: str) -> Any:
    if name in ("plot", "summary"):
        return importlib.import_module(f"tb_regplugin.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("tb_regplugin")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _OF_TENSORFLOW:
        from tb_regplugin.frameworks import import_tensorflow

        import_tensorflow(name)
    module = _MODULES[name]
    # As TensorFlow itself decides which Keras tf.keras is.
    is_legacy = os.environ.get("TF_USE_LEGACY_KERAS") in ("true", "True", "1")
    if name == "RegularizationCallback" and is_legacy:
        module = "tb_regplugin.capture.tf_keras.callback"
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
