"""What is done when int8 costs too much: which layers it hurts, and the ladder of remedies."""
