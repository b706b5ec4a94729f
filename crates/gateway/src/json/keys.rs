//! Which keys lead on from which objects: one small table for all, looked at
//! once for each key of a document.

use super::node::Node;

/// Keys that are told apart by their first and last eight bytes alone.
const PLAIN: usize = 16;

/// What tells most keys apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sign {
    first: u64,
    last: u64,
    len: u32,
}

impl Sign {
    fn of(key: &[u8]) -> Self {
        let (first, last) = match (key.first_chunk(), key.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (short(key), 0),
        };
        Self {
            first,
            last,
            len: u32::try_from(key.len()).unwrap_or(u32::MAX),
        }
    }

    /// A number for the place of a key of this object.
    fn spread(self, object: Node) -> usize {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let object = (object.index() as u64) << 32 | u64::from(self.len);
        let all = self.first ^ self.last.rotate_left(23) ^ object.wrapping_mul(ODD);
        (all.wrapping_mul(ODD) >> 40) as usize
    }
}

/// Up to seven bytes in one word; no two of one length are the same.
fn short(key: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    let byte = |byte: u64, next: &u8| byte << 8 | u64::from(*next);
    key.iter().fold(0, byte)
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    sign: Sign,
    object: Node,
    /// [`Node::DEAD`] where the slot is empty.
    node: Node,
    /// Where the whole key is.
    whole: u16,
}

const EMPTY: Slot = Slot {
    sign: Sign {
        first: 0,
        last: 0,
        len: 0,
    },
    object: Node::DEAD,
    node: Node::DEAD,
    whole: 0,
};

/// The nodes of keys.
#[derive(Debug)]
pub(super) struct Keys {
    /// Two to some power, half of them empty: a search ends soon.
    slots: Vec<Slot>,
    /// Whole keys: long ones are compared with them.
    whole: Vec<Box<str>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            slots: vec![EMPTY; 2],
            whole: Vec::new(),
        }
    }
}

impl Keys {
    /// The node of a key in an object; [`Node::DEAD`] where it leads nowhere.
    #[inline]
    pub(super) fn get(&self, object: Node, key: &[u8]) -> Node {
        let sign = Sign::of(key);
        let mut at = sign.spread(object);
        // It ends: half of the slots are empty.
        loop {
            let Some(slot) = self.slots.get(at & (self.slots.len() - 1)) else {
                return Node::DEAD;
            };
            if slot.node.is_dead() {
                return Node::DEAD;
            }
            if slot.sign == sign
                && slot.object == object
                && (key.len() <= PLAIN || self.is_whole(slot, key))
            {
                return slot.node;
            }
            at += 1;
        }
    }

    fn is_whole(&self, slot: &Slot, key: &[u8]) -> bool {
        let whole = self.whole.get(usize::from(slot.whole));
        whole.is_some_and(|whole| whole.as_bytes() == key)
    }

    /// Adds a key that isn't there yet.
    pub(super) fn add(&mut self, object: Node, key: &str, node: Node) {
        let whole = u16::try_from(self.whole.len()).unwrap_or(u16::MAX);
        self.whole.push(key.into());
        if 2 * self.whole.len() > self.slots.len() {
            let larger = vec![EMPTY; 2 * self.slots.len()];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if !slot.node.is_dead() {
                    self.put(slot);
                }
            }
        }
        self.put(Slot {
            sign: Sign::of(key.as_bytes()),
            object,
            node,
            whole,
        });
    }

    fn put(&mut self, slot: Slot) {
        let most = self.slots.len() - 1;
        let start = slot.sign.spread(slot.object);
        for at in start..=start + most {
            if let Some(free) = self.slots.get_mut(at & most).filter(|it| it.node.is_dead()) {
                *free = slot;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::paths::Paths;
    use super::*;

    #[test]
    fn keys_that_are_nearly_the_same_are_told_apart() {
        // Of every length up to 40, all keys that differ from it in one byte.
        let alike = |len: usize| {
            let base = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"[..len].to_owned();
            let changed = (0..len).map({
                let base = base.clone();
                move |at| {
                    let mut key = base.clone();
                    key.replace_range(at..=at, "_");
                    key
                }
            });
            [base].into_iter().chain(changed)
        };
        let keys: Vec<String> = (1..=40).flat_map(alike).collect();
        let mut paths = Paths::default();
        let known: Vec<Node> = keys.iter().step_by(2).map(|key| paths.add(key)).collect();
        let abc = paths.add("elsewhere.abc");
        let elsewhere = paths.key(Node::ROOT, b"elsewhere");
        for (at, key) in keys.iter().enumerate() {
            let found = paths.key(Node::ROOT, key.as_bytes());
            match at % 2 {
                0 => assert_eq!(Some(&found), known.get(at / 2), "{key}"),
                _ => assert!(found.is_dead(), "{key}"),
            }
            let there = if key == "abc" { abc } else { Node::DEAD };
            assert_eq!(paths.key(elsewhere, key.as_bytes()), there, "{key}");
        }
        assert!(paths.key(Node::ROOT, b"").is_dead());
    }
}
