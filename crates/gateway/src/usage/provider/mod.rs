//! Whose response it is: told, or recognised.

mod name;
mod recognise;
mod route;

pub use name::{Provider, UnknownProvider};
pub(crate) use recognise::recognise;
pub(crate) use route::Route;
