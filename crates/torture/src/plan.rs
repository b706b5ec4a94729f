//! What happens at a kill. It follows from the seed and the kill's number
//! alone, so that a failure can be repeated, and so that the writer can work
//! it out by itself.

use std::time::Duration;

use quipu::Bucket;
use quipu::fault::POINTS;

use crate::damage::Damage;
use crate::marks::{NUMBERS, PRODUCERS};
use crate::points::{self, Needs};
use crate::rng::Rng;

/// Kills of a round. Rounds have nothing to do with each other.
pub(crate) const KILLS_PER_ROUND: u64 = 20;

/// Numbers that a producer may use between two kills, so that they last for
/// the round.
const MOST: u64 = NUMBERS / KILLS_PER_ROUND;

/// One kill and all that leads to it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) store: StorePlan,
    pub(crate) ring: RingPlan,
    /// Whether this begins with a new store.
    pub(crate) is_fresh: bool,
    /// What is done to the live file first.
    pub(crate) damage: Option<Damage>,
    pub(crate) checkpoints: bool,
    pub(crate) producers: Vec<Producer>,
    /// Models that the records are spread over.
    pub(crate) models: u64,
    /// Whether the writer closes the store when its producers are done.
    pub(crate) closes: bool,
    pub(crate) death: Death,
    /// Whether the store is opened and checked in full afterwards, without
    /// being killed at it.
    pub(crate) is_checked: bool,
}

/// Settings that are those of a store, or of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StorePlan {
    pub(crate) width: Bucket,
    pub(crate) max_rows: u32,
    pub(crate) max_models: u16,
    pub(crate) max_tenants: u32,
}

/// Settings that change from one opening to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingPlan {
    pub(crate) shards: usize,
    pub(crate) capacity: usize,
    pub(crate) flush_interval: Duration,
    pub(crate) flush_records: u64,
}

/// What a producer does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Producer {
    pub(crate) style: Style,
    /// Numbers that it acknowledges at a time.
    pub(crate) group: u64,
    /// Numbers that it offers in all.
    pub(crate) budget: u64,
}

/// How a producer records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Single,
    Batch(u64),
    Wait,
}

/// How a writer dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// By its own hand, when it comes by the point for the n-th time.
    AtPoint { point: &'static str, nth: u64 },
    /// So long after it was started.
    AfterStart(Duration),
    /// So long after it opened the store.
    AfterOpen(Duration),
}

impl Plan {
    /// The plan for a kill; `point` is where every writer must die.
    pub(crate) fn new(seed: u64, kill: u64, point: Option<&'static str>) -> Self {
        let store = StorePlan::new(&mut Rng::new(seed, !(kill / KILLS_PER_ROUND)));
        let rng = &mut Rng::new(seed, kill);
        let mut death = Death::new(rng, point);
        // The next one is to die in the middle of a replay, so this one must
        // leave something on the ring.
        let next = Death::new(&mut Rng::new(seed, kill + 1), point);
        let is_left_behind = next.needs() == Needs::Ring;
        if is_left_behind && death.needs() != Needs::Ring {
            death = Death::AfterOpen(Duration::from_millis(2 + rng.below(20)));
        }
        let needs = death.needs();
        let ring = if is_left_behind {
            RingPlan::UNCOMMITTED
        } else if needs == Needs::Rows {
            RingPlan::LARGE
        } else {
            RingPlan::new(rng)
        };
        let is_fresh = kill.is_multiple_of(KILLS_PER_ROUND) || needs == Needs::NewStore;
        let has_damage = needs == Needs::Damage || (!is_fresh && rng.percent(2));
        let producers = 1 + rng.below(5.min(PRODUCERS));
        Self {
            store,
            ring,
            is_fresh,
            damage: has_damage.then(|| Damage::new(rng)),
            checkpoints: needs == Needs::Checkpoints || rng.percent(15),
            producers: (0..producers)
                .map(|_| Producer::new(rng, &ring, death))
                .collect(),
            models: match needs {
                Needs::Rows => 128,
                _ => rng.choose(&[1, 1, 1, 2, 5, 100]),
            },
            closes: !is_left_behind && (needs == Needs::Checkpoints || rng.percent(20)),
            death,
            is_checked: !is_left_behind && rng.percent(30),
        }
    }

    /// Whether the writer flushes when its producers are done: to come by a
    /// point that only a commit comes by.
    pub(crate) fn flushes(&self) -> bool {
        let is_at_point = matches!(self.death, Death::AtPoint { .. });
        is_at_point && self.death.needs() != Needs::Ring
    }

    /// Records that producers can have claimed and not published.
    pub(crate) fn claims(&self) -> u64 {
        let claim = |producer: &Producer| match producer.style {
            Style::Single | Style::Wait => 1,
            Style::Batch(len) => len,
        };
        self.producers.iter().map(claim).sum()
    }
}

impl Death {
    fn new(rng: &mut Rng, forced: Option<&'static str>) -> Self {
        let at_point = rng.percent(55);
        let chosen = rng.choose(&POINTS);
        match forced.or(at_point.then_some(chosen)) {
            Some(point) => Self::AtPoint {
                point,
                nth: rng.magnitude(points::most(point)),
            },
            None if rng.percent(30) => Self::AfterStart(Duration::from_micros(rng.below(12_000))),
            None => Self::AfterOpen(Duration::from_micros(rng.magnitude(60_000))),
        }
    }

    fn needs(self) -> Needs {
        match self {
            Self::AtPoint { point, .. } => points::needs(point),
            _ => Needs::Nothing,
        }
    }
}

impl StorePlan {
    fn new(rng: &mut Rng) -> Self {
        let is_narrow = rng.percent(15);
        Self {
            width: rng.choose(&[Bucket::Day, Bucket::Hour]),
            max_rows: if is_narrow {
                20 + rng.below(500) as u32
            } else {
                1 << 20
            },
            max_models: if is_narrow { 3 } else { 4096 },
            max_tenants: if is_narrow { 2 } else { 1 << 17 },
        }
    }
}

impl RingPlan {
    /// One from which nothing is committed before the writer is killed.
    const UNCOMMITTED: Self = Self {
        shards: 2,
        capacity: 4096,
        flush_interval: Duration::from_secs(3600),
        flush_records: u64::MAX,
    };

    /// One that isn't in the way.
    const LARGE: Self = Self {
        shards: 2,
        capacity: 4096,
        flush_interval: Duration::from_millis(5),
        flush_records: 1000,
    };

    fn new(rng: &mut Rng) -> Self {
        let (shards, capacity) = rng.choose(&[
            (1, 2),
            (1, 4),
            (2, 2),
            (2, 16),
            (8, 16),
            (4, 64),
            (1, 256),
            (2, 1024),
            (1, 4096),
            (4, 4096),
            (2, 32_768),
        ]);
        let millis = rng.choose(&[1, 1, 2, 5, 20, 100, 3_600_000]);
        Self {
            shards,
            capacity,
            flush_interval: Duration::from_millis(millis),
            flush_records: rng.choose(&[1, 100, 5000, 100_000]),
        }
    }

    const fn is_tiny(&self) -> bool {
        self.shards * self.capacity <= 256
    }
}

impl Producer {
    fn new(rng: &mut Rng, ring: &RingPlan, death: Death) -> Self {
        let style = match rng.below(4) {
            0 => Style::Wait,
            1 => Style::Single,
            _ => Style::Batch(rng.magnitude(2 * ring.capacity.min(2000) as u64)),
        };
        let most = match death {
            _ if ring.is_tiny() => 2000,
            Death::AtPoint { .. } => 10_000,
            _ => MOST,
        };
        Self {
            style,
            group: rng.magnitude(if ring.is_tiny() { 100 } else { 10_000 }),
            budget: (most / 5 + rng.below(most)).min(MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_has_its_turn() {
        let plans: Vec<Plan> = (0..3000).map(|kill| Plan::new(7, kill, None)).collect();
        for name in POINTS {
            let is_it =
                |plan: &&Plan| matches!(plan.death, Death::AtPoint { point, .. } if point == name);
            assert!(plans.iter().filter(is_it).count() > 20, "{name}");
        }
        let random = plans
            .iter()
            .filter(|plan| !matches!(plan.death, Death::AtPoint { .. }));
        assert!(random.count() > 1000);
    }

    #[test]
    fn a_plan_follows_from_seed_and_number() {
        let text = |seed, kill| format!("{:?}", Plan::new(seed, kill, None));
        assert_eq!(text(3, 44), text(3, 44));
        assert_ne!(text(3, 44), text(4, 44));
        assert_ne!(text(3, 44), text(3, 45));
    }
}
