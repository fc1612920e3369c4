"""Figures of recordings and of sweeps for notebooks and papers, drawn as the dashboard draws them.

They are matplotlib's, which the extra ``tb_regplugin[plot]`` installs; it is imported when the
first figure is drawn.
"""

from tb_regplugin.plot.figures import stack, sweep

__all__ = ["stack", "sweep"]
