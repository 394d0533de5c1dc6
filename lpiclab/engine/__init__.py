"""The use cases: the only room that joins labs, providers, SSH and grading."""
