"""The dongle's black box: its records out of files or a port, and what they say.

`read(source)` is what other parts want: a Journal of Records in order.
"""

from packlab.journal.records import Journal, Record
from packlab.journal.source import read

__all__ = ["Journal", "Record", "read"]
