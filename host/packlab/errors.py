"""The one error meant for users: raised on bad input, printed by the command line, exit code 2."""


class PacklabError(Exception):
    """One sentence: what is wrong, where (file and line), and what to do about it."""
