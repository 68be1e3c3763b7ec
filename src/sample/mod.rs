//! EYES: /proc bytes to nouns.
