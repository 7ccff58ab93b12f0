"""The nouns of triage: frozen values, standard library only, no input or output."""
