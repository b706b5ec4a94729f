//! Loom models of quipu's protocols; see `tests/`.
