"""``python -m tb_regplugin``: the same as ``tb-regplugin``."""

import sys

from tb_regplugin.command_line import main

if __name__ == "__main__":
    sys.exit(main())
