//! Kills writers of a quipu store at random instants and at named points, and
//! checks that every record was counted exactly once.

fn main() {}
