//! Where `unsafe` is, and how much of it.

use std::collections::BTreeMap;

use crate::source::{read, root, sources};

/// What a file has: blocks, implementations, traits and functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Unsafe {
    blocks: usize,
    impls: usize,
    traits: usize,
    functions: usize,
}

const NONE: Unsafe = Unsafe {
    blocks: 0,
    impls: 0,
    traits: 0,
    functions: 0,
};

/// All there is. Blocks are in mapped memory and in the ring's slots, nowhere
/// else; an `unsafe impl Mappable` says that a type may lie in mapped memory,
/// and stands beside the type.
const ALLOWED: [(&str, Unsafe); 4] = [
    (
        // `madvise`; a slice of, and a reference to, what is mapped.
        "disk/region.rs",
        Unsafe {
            blocks: 3,
            impls: 3,
            traits: 1,
            ..NONE
        },
    ),
    ("ring/shard.rs", Unsafe { impls: 1, ..NONE }),
    (
        // A record written, read, and its line fetched ahead.
        "ring/slot.rs",
        Unsafe {
            blocks: 3,
            impls: 2,
            ..NONE
        },
    ),
    ("store/version.rs", Unsafe { impls: 1, ..NONE }),
];

#[test]
fn unsafe_is_where_it_is_allowed_and_no_more_of_it() {
    let mut found = BTreeMap::new();
    for source in sources() {
        let words: Vec<&str> = source.code.split_whitespace().collect();
        let mut here = NONE;
        for (n, _) in words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.trim_start_matches(['(', '[']).ends_with("unsafe"))
        {
            let next = words.get(n + 1).copied().unwrap_or_default();
            match next.trim_end_matches(|c: char| c == '<' || !c.is_alphabetic()) {
                "" if next.starts_with('{') => here.blocks += 1,
                "trait" => here.traits += 1,
                "fn" | "extern" => here.functions += 1,
                other if other.starts_with("impl") => here.impls += 1,
                other => panic!("{}: unsafe {other}?", source.name),
            }
        }
        let mentions = source.code.matches("unsafe").count();
        let counted = here.blocks + here.impls + here.traits + here.functions;
        assert_eq!(counted, mentions, "{}", source.name);
        if here != NONE {
            found.insert(source.name, here);
        }
    }
    let allowed = ALLOWED.map(|(name, here)| (name.to_owned(), here));
    assert_eq!(found, BTreeMap::from(allowed));
}

#[test]
fn the_other_crates_forbid_it() {
    let mut roots = 0;
    for name in ["cli", "gateway", "torture"] {
        for file in ["lib.rs", "main.rs"] {
            let path = format!("crates/{name}/src/{file}");
            if root().join(&path).exists() {
                assert!(
                    read(&path).contains("\n#![forbid(unsafe_code)]\n"),
                    "{path}"
                );
                roots += 1;
            }
        }
    }
    assert_eq!(roots, 4);
}
