"""Distributed: the jobs of :mod:`toolkit.pipeline` on a Dask cluster: the same names, the same bytes.

A job is a graph of tasks, each a pure function of files: *read* (an input file → parts of ``rows`` documents),
*tally* (a part → what it repeats), *add up* (a range of keys of all tallies), *work* (a part → spans, clean text,
topics) and *assemble* (all parts → one result). Parts lie in a work folder beside the output, each written
whole, and a task that finds its part there is done. So a lost worker costs one task, and a job whose
driver was killed continues where it stopped. Only counts go through the scheduler.

Memory: a worker holds one part for each of its threads, some ten times the text of ``rows`` documents, and once
the models and the index (up to 1 GB for a corpus of many gigabytes); the driver the index and 8 bytes a
document. Dask's own DataFrame is not used, so the option ``dataframe.convert-string`` has no effect.
"""

from toolkit.distributed.commands import classify, clean, fit, run

__all__ = ["classify", "clean", "fit", "run"]
