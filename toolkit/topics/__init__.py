"""Topics of news: the IPTC taxonomy, a classifier that works at once, and one's own labels."""

from toolkit.errors import ModelError
from toolkit.topics.classifier import TopicClassifier
from toolkit.topics.discovery import Discovery, discover
from toolkit.topics.explanation import Explanation
from toolkit.topics.model import TopicModel

__all__ = ["Discovery", "Explanation", "ModelError", "TopicClassifier", "TopicModel", "discover"]
