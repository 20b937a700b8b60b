"""What measures the toolkit: quality, pages, speed, kills, streaming, each beside what people use instead."""
