"""``python -m vdsq`` is the command line."""

from vdsq._program import main

main()
