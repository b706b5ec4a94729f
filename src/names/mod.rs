//! Names: providers, models and tenants are interned once into small ids, so
//! that a record carries six bytes instead of three strings.

mod label;
mod table;

pub use label::Label;
pub(crate) use table::{NameKind, NameLimits, Names};

/// The name under which counts appear that exceed a limit on names or rows.
pub const OTHER: &str = "__other__";

/// An interned model together with its provider; two bytes, cheap to copy.
///
/// An id is good for the store that gave it, also across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub(crate) u16);

impl ModelId {
    /// The model `__other__` of the provider `__other__`: where models beyond
    /// the limit are counted.
    pub const OTHER: Self = Self(0);

    /// Whether calls under this id are counted as `__other__`.
    #[must_use]
    pub const fn is_other(self) -> bool {
        self.0 == Self::OTHER.0
    }
}

/// An interned tenant; four bytes, cheap to copy.
///
/// An id is good for the store that gave it, also across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(pub(crate) u32);

impl TenantId {
    /// No tenant: the default of a record, shown with an empty name.
    pub const NONE: Self = Self(0);

    /// The tenant `__other__`: where tenants beyond the limit are counted.
    pub const OTHER: Self = Self(1);

    /// Whether calls under this id are counted as `__other__`.
    #[must_use]
    pub const fn is_other(self) -> bool {
        self.0 == Self::OTHER.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self::NONE
    }
}
