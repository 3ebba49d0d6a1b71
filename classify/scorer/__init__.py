"""Text to score matrices with numpy alone: tokens, term hits, linear scores, decisions, exact contributions."""
