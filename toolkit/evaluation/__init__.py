"""How good the toolkit is: metrics of spans and topics, with intervals, and reports on people's own labels."""

from toolkit.evaluation.reports import TopicReport, topic_report

__all__ = ["TopicReport", "topic_report"]
