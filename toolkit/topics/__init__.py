"""Topics of news: the IPTC taxonomy, a classifier that works at once, and one's own labels."""

from toolkit.topics.classifier import TopicClassifier
from toolkit.topics.discovery import Discovery, discover
from toolkit.topics.explanation import Explanation
from toolkit.topics.model import ModelError, TopicModel

__all__ = ["Discovery", "Explanation", "ModelError", "TopicClassifier", "TopicModel", "discover"]
