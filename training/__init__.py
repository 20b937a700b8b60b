"""How the shipped models are made (``make models``): material, labels, learners. The package imports none of it."""
