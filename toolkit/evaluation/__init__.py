"""How good the toolkit is: metrics of spans and topics, with intervals."""
