"""The checks of `verification_helper`: each is really carried out, and says what came of it."""
