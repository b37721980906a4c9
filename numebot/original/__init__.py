"""The classes that plugins of the original numebot were written against, over today's data.

For models/original_numebot.py alone. Names, arguments and file names are those of the original; what talked to Numerai
(submitting, statuses, leaderboards) says that numebot does that itself now.
"""

from numebot.original.data import DataManager
from numebot.original.model import NumeraiModel
from numebot.original.modules import class_of, provide
from numebot.original.names import FileNamesGetter

__all__ = ["DataManager", "FileNamesGetter", "NumeraiModel", "class_of", "provide"]
