//! The models of the synthetic day. Prices are of the size of public list
//! prices; none is kept up to date.

/// A model that the synthetic gateway calls.
pub(super) struct Model {
    pub(super) provider: &'static str,
    pub(super) name: &'static str,
    /// Share of the traffic, relative to the others.
    pub(super) load: f64,
    /// `None` for a model that nobody bills by the token.
    pub(super) price: Option<Price>,
    pub(super) cache: Cache,
    pub(super) thinks: bool,
    /// Median time to the first token, in milliseconds.
    pub(super) first_token_ms: f64,
    /// Median time for each token after it, in milliseconds.
    pub(super) token_ms: f64,
}

/// What a provider's prompt cache reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// There is none.
    None,
    /// Reads.
    Reads,
    /// Reads, and writes at a price of their own.
    ReadsAndWrites,
}

/// Nano-dollars per token.
pub(super) struct Price {
    pub(super) input: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) output: u64,
}

const fn price(input: u64, cache_read: u64, cache_write: u64, output: u64) -> Option<Price> {
    Some(Price {
        input,
        cache_read,
        cache_write,
        output,
    })
}

const fn model(
    provider: &'static str,
    name: &'static str,
    load: f64,
    price: Option<Price>,
    cache: Cache,
    thinks: bool,
    speed: (f64, f64),
) -> Model {
    Model {
        provider,
        name,
        load,
        price,
        cache,
        thinks,
        first_token_ms: speed.0,
        token_ms: speed.1,
    }
}

#[rustfmt::skip]
pub(super) static MODELS: [Model; 11] = [
    model("openai", "gpt-4o-mini", 24.0, price(150, 75, 0, 600), Cache::Reads, false, (350.0, 9.0)),
    model("openai", "gpt-4o", 13.0, price(2_500, 1_250, 0, 10_000), Cache::Reads, false, (450.0, 12.0)),
    model("openai", "o4-mini", 4.0, price(1_100, 275, 0, 4_400), Cache::Reads, true, (900.0, 8.0)),
    model("anthropic", "claude-haiku-4-5", 12.0, price(1_000, 100, 1_250, 5_000), Cache::ReadsAndWrites, false, (500.0, 7.0)),
    model("anthropic", "claude-sonnet-4-5", 14.0, price(3_000, 300, 3_750, 15_000), Cache::ReadsAndWrites, false, (900.0, 15.0)),
    model("anthropic", "claude-opus-4-5", 2.0, price(5_000, 500, 6_250, 25_000), Cache::ReadsAndWrites, true, (1_400.0, 18.0)),
    model("google", "gemini-2.5-flash", 15.0, price(300, 75, 0, 2_500), Cache::Reads, true, (400.0, 5.0)),
    model("google", "gemini-2.5-pro", 4.0, price(1_250, 310, 0, 10_000), Cache::Reads, true, (1_100.0, 8.0)),
    model("mistral", "mistral-large", 3.0, price(2_000, 0, 0, 6_000), Cache::None, false, (400.0, 14.0)),
    model("deepseek", "deepseek-chat", 5.0, price(270, 70, 0, 1_100), Cache::Reads, false, (1_200.0, 25.0)),
    model("vllm", "llama-3.3-70b", 4.0, None, Cache::None, false, (250.0, 22.0)),
];
