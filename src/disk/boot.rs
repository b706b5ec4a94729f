//! Which boot of the machine this is: memory that outlives a process doesn't
//! outlive the boot.

use std::path::Path;

/// Where Linux says it.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The number of this boot; zeros where the system doesn't say.
pub(crate) fn boot_id() -> [u64; 2] {
    #[cfg(feature = "__fault-points")]
    if let Some(id) = crate::fault::boot() {
        return id;
    }
    let text = std::fs::read_to_string(Path::new(BOOT_ID)).unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let half = |range| {
        digits
            .get(range)
            .and_then(|d| u64::from_str_radix(d, 16).ok())
    };
    match (half(0..16), half(16..32)) {
        (Some(high), Some(low)) => [high, low],
        _ => [0, 0],
    }
}

/// Whether two numbers may be of the same boot.
pub(crate) fn is_same_boot(one: [u64; 2], other: [u64; 2]) -> bool {
    one == other || one == [0, 0] || other == [0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_that_is_not_known_may_be_any() {
        assert!(is_same_boot([1, 2], [1, 2]));
        assert!(!is_same_boot([1, 2], [1, 3]));
        assert!(is_same_boot([0, 0], [1, 2]) && is_same_boot([1, 2], [0, 0]));
    }
}
