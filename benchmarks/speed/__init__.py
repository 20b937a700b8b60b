"""How fast the toolkit is beside what people would use instead (``make bench``, :mod:`.__main__`)."""
