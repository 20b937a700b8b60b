"""How the shipped models are made (``make models``): material, labels, learners. The package imports none of it."""

import os

# before numpy is loaded: OpenBLAS adds up in another order on each family of processors, and the models follow
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
