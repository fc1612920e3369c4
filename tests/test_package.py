"""The package's public surface, and what importing it costs."""

import importlib.metadata
import subprocess
import sys

import tb_regplugin


def test_the_public_names_are_these() -> None:
    """What a user may import, and nothing else."""
    assert tb_regplugin.__all__ == [
        "Finding",
        "Recorder",
        "Recording",
        "RegularizationCallback",
        "RegularizationHook",
        "Term",
        "Writer",
        "audit",
        "load",
        "plot",
        "summary",
    ]
    for name in tb_regplugin.__all__:
        assert getattr(tb_regplugin, name).__name__.rpartition(".")[-1] == name
        assert name in dir(tb_regplugin)


def test_the_version_is_that_of_the_installed_package() -> None:
    """As pip has it, and in dir() beside the public names."""
    assert tb_regplugin.__version__ == importlib.metadata.version("tb_regplugin")
    assert "__version__" in dir(tb_regplugin)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it does in any module."""
    assert not hasattr(tb_regplugin, "Wirter")


def test_importing_the_package_imports_no_framework() -> None:
    """Neither TensorFlow nor Keras nor NumPy loads with the package."""
    script = "import sys, tb_regplugin; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    modules = set(result.stdout.split())
    heavy = {"tensorflow", "keras", "jax", "torch", "numpy", "tensorboard", "matplotlib"}
    assert not modules & heavy


def test_viewing_needs_only_the_base_dependencies() -> None:
    """The plugin and load() import without TensorFlow, Keras and the recording extra."""
    script = """
import sys
for missing in ("tensorflow", "keras", "google_crc32c", "jax", "torch"):
    sys.modules[missing] = None
import tb_regplugin.loader, tb_regplugin.plugin, tb_regplugin.reading.load
"""
    subprocess.run([sys.executable, "-c", script], check=True)
