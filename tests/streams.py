"""Files in memory for the tests of loading, and why their records were rejected."""

import io


def stream(data, name):
    """Return a binary file with a name, which ``load`` takes for a file on disk."""
    file = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    file.name = name
    return file


def reasons(corpus):
    """Return why records were rejected, in the order of the quarantine."""
    return corpus.attrs["quarantine"]["reason"].tolist()
