"""``python -m tb_regplugin check LOGDIR`` and ``python -m tb_regplugin summary LOGDIR``."""

import sys

from tb_regplugin.command_line import main

if __name__ == "__main__":
    sys.exit(main())
