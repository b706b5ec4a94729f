//! Logs of names made of whatever the fuzzer says.

use std::collections::{BTreeMap, BTreeSet};

use quipu::{ModelId, OTHER, Recorder, TenantId, UsageRecord};

use crate::aggregate::{Map, seal_name, set_name_count};
use crate::base::{PATIENCE, moment};
use crate::bed::Bed;
use crate::check::{self, Made};
use crate::edit::Program;
use crate::format::set;

/// Names that are written at most.
const MOST: usize = 64;
/// Bytes of the head of a name in an input: kind, provider, id, length, and
/// bits that say what is wrong with it on purpose.
const HEAD: usize = 8;

/// Checksums are left as the input has them.
const UNSEALED: u8 = 1;
/// The padding isn't zero.
const PADDED: u8 = 2;

/// Writes the names that `input` describes from the first or the last name of
/// the log on; gives how many there are then.
pub fn write_log(bytes: &mut [u8], map: &Map, input: &[u8], is_after: bool) -> u64 {
    let (mut at, mut count) = if is_after {
        map.end_of_names(bytes)
    } else {
        (map.log, 0)
    };
    let mut rest = input;
    for _ in 0..MOST {
        let Some((head, after)) = rest.split_first_chunk::<HEAD>() else {
            break;
        };
        let [kind, provider, high, id, id_high, low, len_high, bits] = *head;
        let len = u16::from_le_bytes([low, len_high]);
        let text = &after[..after.len().min(usize::from(len % 256))];
        rest = &after[text.len()..];
        let provider = u16::from_le_bytes([provider, high]);
        let id = u16::from_le_bytes([id, id_high]);
        let head = u64::from(kind) | u64::from(len) << 8 | u64::from(provider) << 24;
        let end = at + 16 + usize::from(len).next_multiple_of(8);
        let Some(entry) = bytes.get_mut(at + 16..end) else {
            break;
        };
        // The text again and again, as long as it says it is.
        let filler = if bits & PADDED == 0 { 0 } else { b'x' };
        entry.fill(filler);
        for (to, from) in entry.iter_mut().zip(text.iter().cycle().take(len.into())) {
            *to = *from;
        }
        set(bytes, at, head);
        set(bytes, at + 8, id.into());
        if bits & UNSEALED == 0 {
            seal_name(bytes, at);
        }
        at = end;
        count += 1;
    }
    set(bytes, at, 0);
    set_name_count(bytes, count);
    count
}

/// Calls that are recorded at most.
const MOST_CALLS: usize = 32;

/// A provider, a model and a tenant.
type Call = [String; 3];

/// Names come through the API, and stay what they were when the store is
/// opened again.
pub fn by_api(bed: &Bed, program: &Program<'_>) {
    let mut expected = Expected::new(program);
    bed.clear_all();
    let mut recorder = expected.open(bed);
    let mut rest = program.rest;
    for _ in 0..MOST_CALLS {
        let Some(names) = three(&mut rest) else {
            break;
        };
        let ids = record(&recorder, &names);
        if rest.len().is_multiple_of(8) {
            recorder.close(PATIENCE).unwrap();
            drop(recorder);
            recorder = expected.open(bed);
        }
        assert_eq!(ids, record(&recorder, &names), "the ids of {names:?}");
        expected.add(names, 2);
    }
    recorder.close(PATIENCE).unwrap();
    drop(recorder);
    let seen = check::read(bed, Made::ByDamage);
    let rows = seen.snapshot.as_deref().map(check::rows);
    let found = rows.unwrap_or_default().into_iter();
    let found = found.map(|([_, names @ ..], requests)| (names, requests));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected.calls);
}

/// Records one call at a moment that is always the same.
fn record(recorder: &Recorder, [provider, model, tenant]: &Call) -> (ModelId, TenantId) {
    let ids = (
        recorder.model(provider, model).unwrap(),
        recorder.tenant(tenant).unwrap(),
    );
    let usage = UsageRecord::new(ids.0).tenant(ids.1).at(moment());
    recorder.record(usage).unwrap();
    ids
}

/// What the documentation says of names and their limits.
struct Expected {
    most_models: u16,
    most_tenants: u32,
    longest: usize,
    models: BTreeSet<[String; 2]>,
    tenants: BTreeSet<String>,
    calls: BTreeMap<Call, u64>,
}

impl Expected {
    fn new(program: &Program<'_>) -> Self {
        Self {
            most_models: u16::from(program.base % 8) + 1,
            most_tenants: u32::from(program.seals % 8) + 1,
            longest: usize::from(program.choices >> 1) + 1,
            models: BTreeSet::new(),
            tenants: BTreeSet::new(),
            calls: BTreeMap::new(),
        }
    }

    fn open(&self, bed: &Bed) -> Recorder {
        bed.builder()
            .max_models(self.most_models)
            .max_tenants(self.most_tenants)
            .max_name_len(self.longest)
            .open(bed.store())
            .unwrap()
    }

    fn add(&mut self, [provider, model, tenant]: Call, requests: u64) {
        let fits = |name: &str| !name.is_empty() && name.len() <= self.longest;
        let mut model = [provider, model];
        let is_room = self.models.len() < usize::from(self.most_models);
        let is_new = !self.models.contains(&model) && model != [OTHER, OTHER];
        if is_new && !(is_room && model.iter().all(|name| fits(name))) {
            model = [OTHER, OTHER].map(str::to_owned);
        } else if is_new {
            self.models.insert(model.clone());
        }
        let mut tenant = tenant;
        let is_room = self.tenants.len() < self.most_tenants as usize;
        let is_new = !self.tenants.contains(&tenant) && tenant != OTHER;
        if is_new && !(is_room && fits(&tenant)) {
            tenant = OTHER.to_owned();
        } else if is_new {
            self.tenants.insert(tenant.clone());
        }
        let [provider, model] = model;
        *self.calls.entry([provider, model, tenant]).or_default() += requests;
    }
}

/// The next provider, model and tenant of an input.
fn three(rest: &mut &[u8]) -> Option<Call> {
    let (lens, after) = rest.split_first_chunk::<3>()?;
    *rest = after;
    Some(lens.map(|len| {
        let (name, after) = rest.split_at(rest.len().min(usize::from(len) % 64));
        *rest = after;
        String::from_utf8_lossy(name).into_owned()
    }))
}
