"""Jobs: what :mod:`toolkit.pipeline` and :mod:`toolkit.distributed` do, as tasks on files and the order of them."""
