//! Why a price list can't be used.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::decimal::RateError;

/// Why a price list wasn't loaded. Whatever was in use before stays.
#[derive(Debug)]
#[non_exhaustive]
pub enum PriceError {
    /// The file can't be read.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than 64 MiB.
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// What the file holds is no list.
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PriceError>,
    },
    /// Lists in which no model is, in place of a table that has some: a file
    /// that is just being written, as a rule.
    Empty,
    /// The text isn't a list in LiteLLM's format.
    LiteLlm(String),
    /// The text isn't a list in quipu's own format.
    Own(String),
    /// A price in quipu's own format is none.
    Rate {
        /// The model, as `provider/name`.
        model: String,
        /// The field.
        field: &'static str,
        /// Why.
        why: RateError,
    },
    /// Two entries of quipu's own format have the same provider and name.
    Twice {
        /// The model, as `provider/name`.
        model: String,
    },
}

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "can't read prices from {path:?}: {source}"),
            Self::TooLarge { path } => write!(
                f,
                "{path:?} is larger than 64 MiB, which no price list is: check the path"
            ),
            Self::Empty => f.write_str("there is no model in the new lists: check their files"),
            Self::InFile { path, source } => write!(f, "can't use {path:?}: {source}"),
            Self::LiteLlm(why) => write!(
                f,
                "not a price list in LiteLLM's format (an object of models): {why}"
            ),
            Self::Own(why) => write!(f, "not a price list in quipu's format: {why}"),
            Self::Rate { model, field, why } => write!(f, "{model}: {field}: {why}"),
            Self::Twice { model } => write!(
                f,
                "{model} is priced twice: remove one of the entries or aliases"
            ),
        }
    }
}

impl std::error::Error for PriceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::InFile { source, .. } => Some(source),
            Self::Rate { why, .. } => Some(why),
            _ => None,
        }
    }
}
