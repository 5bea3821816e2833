"""Looking at everything that is watched: asked for by a row, done apart from what asked, repeatable at any moment."""

from alerts.evaluation.evaluating import evaluate_if_asked

__all__ = ["evaluate_if_asked"]
