"""What TensorBoard imports at its start to find the plugin.

An exception in this module, or in the methods below that run before the plugin is loaded, would
take all of TensorBoard down. So it imports next to nothing, and its methods do not raise.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tensorboard.plugins import base_plugin

from tb_regplugin.names import PLUGIN_NAME

if TYPE_CHECKING:
    import argparse

_logger = logging.getLogger(__name__)

# A million steps of a hundred terms and their digests are some 500 MiB.
_DEFAULT_CACHE_MB = 1024
# To TensorBoard's flag, 0 means all of them.
_KEEP_ALL = 0


class RegularizationLoader(base_plugin.TBLoader):  # type: ignore[misc]
    """Makes the plugin, and asks TensorBoard to keep every recorded step."""

    def define_flags(self, parser: argparse.ArgumentParser) -> None:
        """Adds the plugin's flag."""
        try:
            parser.add_argument_group("regularization plugin").add_argument(
                "--regularization_cache_mb",
                metavar="MB",
                type=int,
                default=_DEFAULT_CACHE_MB,
                help="how many MiB of recorded losses to keep in memory; the least recently used "
                "are dropped, and read again when needed (default: %(default)s)",
            )
        except Exception:
            _logger.warning("The flag --regularization_cache_mb is not available.", exc_info=True)

    def fix_flags(self, flags: Any) -> None:
        """Turns sampling off for this plugin, unless the user chose a number.

        By default TensorBoard keeps 10 or 100 random events of a series. Blocks fit into that, but
        a series with one event a step does not.
        """
        try:
            samples = getattr(flags, "samples_per_plugin", None)
            if isinstance(samples, dict) and PLUGIN_NAME not in samples:
                flags.samples_per_plugin = {**samples, PLUGIN_NAME: _KEEP_ALL}
        except Exception:
            _logger.warning("TensorBoard may show a sample of the recorded steps.", exc_info=True)

    def load(self, context: Any) -> Any:
        """Makes the plugin; None where that fails, and TensorBoard then goes on without it."""
        try:
            from tb_regplugin.tab import RegularizationTab

            return RegularizationTab(context, cache_mb(context.flags) * 2**20)
        except Exception:
            _logger.exception("The Regularization tab is not available.")
            return None


def cache_mb(flags: object) -> int:
    """Returns how many MiB to keep in memory; TensorBoard may run without flags."""
    asked = getattr(flags, "regularization_cache_mb", None)
    return max(0, asked) if isinstance(asked, int) else _DEFAULT_CACHE_MB
