"""Names in one text: a tuple of them would take a heap of small pieces."""


def name_of(names: str, number: int) -> str:
    """The name of this number; in `names` each has a space after it."""
    at = 0
    for _ in range(number):
        at = names.find(" ", at) + 1
    return names[at : names.find(" ", at)]
