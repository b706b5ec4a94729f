//! What each request is, by its number: the same for the same seed.

use crate::cases::{CHAT, EMBEDDINGS, MESSAGES, RESPONSES, streamed};

/// Different names of models, and of tenants, that make no sense.
const JUNK: u64 = 10_000;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Manner {
    /// Reads the answer to its end.
    Reads,
    /// Leaves after the first bytes.
    LeavesInMidStream,
    /// Leaves before the answer begins.
    LeavesEarly,
    /// Sends a few bytes at a time, and reads so.
    IsSlow,
    /// Sends more headers than are allowed.
    HasLongHeaders,
    /// Says that the body is longer than is allowed.
    AnnouncesTooMuch,
    /// Sends a body in chunks that is longer than is allowed.
    SendsTooMuch,
    /// Breaks off in the middle of its body.
    BreaksOff,
    /// Sends what is no HTTP.
    IsNoHttp,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) manner: Manner,
    pub(crate) path: &'static str,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Tokens of input that a whole answer states.
    pub(crate) input: u64,
}

/// Numbers that look random.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    /// SplitMix64, below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).unwrap()]
    }
}

/// Answers that go wrong, and those whose usage nobody can read.
const FAULTS: [&str; 16] = [
    "status=400",
    "status=429",
    "status=429",
    "status=500",
    "status=529",
    "reset",
    "reset-after=0",
    "reset-after=3",
    "error-after=2",
    "truncate",
    "no-usage",
    "null-usage",
    "invalid-utf8",
    "wrong-type",
    "gzip",
    "slow=0",
];

const HOUR: &str = "3600000";

/// The request of this number.
pub(crate) fn request(seed: u64, number: u64) -> Request {
    let mut dice = Dice::new(seed, number);
    let case = dice.pick(&[&CHAT, &CHAT, &RESPONSES, &MESSAGES, &MESSAGES, &EMBEDDINGS]);
    let model = match dice.below(100) {
        0..30 => Some(format!("junk-{}", dice.below(JUNK))),
        30..32 => Some("x".repeat(2000)),
        32..34 => Some("__other__".to_owned()),
        _ => None,
    };
    let mut body = case.body.to_owned();
    if let Some(model) = model {
        body = body.replacen(&crate::cases::model(case.body), &model, 1);
    }
    let can_stream = case.path != EMBEDDINGS.path;
    let is_stream = can_stream && dice.below(100) < 40;
    let mut headers = Vec::new();
    match dice.below(100) {
        0..30 => headers.push(("x-tenant", format!("junk-{}", dice.below(JUNK)))),
        30..33 => headers.push(("x-tenant", "y".repeat(3000))),
        33..35 => headers.push(("x-tenant", "\"\\{}=,".to_owned())),
        _ => headers.push(("x-tenant", format!("tenant-{}", dice.below(20)))),
    }
    let input = 1 + dice.below(1000);
    headers.push(("x-mock-input", input.to_string()));
    let mut request = Request {
        manner: Manner::Reads,
        path: case.path,
        body,
        headers,
        input,
    };
    let mut is_stream = is_stream;
    let set = |request: &mut Request, name, value: &str| {
        request.headers.push((name, value.to_owned()));
    };
    match dice.below(1000) {
        0..120 => {
            let fault = dice.pick(&FAULTS);
            set(&mut request, "x-mock-fault", fault);
        }
        120..122 => set(&mut request, "x-mock-fault", "bomb=1"),
        122..124 => set(&mut request, "x-mock-fault", "huge=2"),
        124..190 if can_stream => {
            is_stream = true;
            request.manner = Manner::LeavesInMidStream;
            set(&mut request, "x-mock-gap-ms", HOUR);
        }
        190..220 => {
            request.manner = Manner::LeavesEarly;
            set(&mut request, "x-mock-first-ms", HOUR);
        }
        220..240 => request.manner = Manner::IsSlow,
        240..260 => request.manner = Manner::HasLongHeaders,
        260..270 => request.manner = Manner::AnnouncesTooMuch,
        270..280 => request.manner = Manner::SendsTooMuch,
        280..290 => request.manner = Manner::BreaksOff,
        290..300 => request.manner = Manner::IsNoHttp,
        _ => {}
    }
    if is_stream {
        request.body = streamed(&request.body);
    }
    request
}
