//! Readers of provider responses: any bytes, cut anywhere, say the same.
//!
//! ```text
//! byte 0   bits 0 to 4: which request path it answers; bit 5: the provider is
//!          told; bit 6: its tokens come in headers, too
//! byte 1   bytes of a piece; 0 is the whole body at once
//! then the body
//! ```

use std::sync::LazyLock;

use quipu::{ModelId, TokenKind, UsageRecord};
use quipu_gateway::prices::{PriceTable, must_be_priced_at_once};
use quipu_gateway::usage::{Extractor, Provider, Usage, UsageState};

const PATHS: [&str; 12] = [
    "",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/messages",
    "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
    "/model/anthropic.claude%2Dx/converse-stream",
    "/model/meta.llama3/invoke-with-response-stream",
    "/openai/deployments/x/chat/completions",
    "/v2/chat",
    "/api/chat",
    "https://openrouter.ai/api/v1/chat/completions?x=%zz",
];

const LIST: &str = r#"
[[model]]
provider = "openai"
name = "m"
input = "0.5"
output = "1.5"
"#;

fn read(head: u8, body: &[u8], piece: usize) -> Usage {
    let path = PATHS[usize::from(head & 31) % PATHS.len()];
    let mut extractor = Extractor::new().path(path);
    if head & 32 != 0 {
        let provider = Provider::ALL[usize::from(head & 31) % Provider::ALL.len()];
        extractor = extractor.provider(provider);
    }
    if head & 64 != 0 {
        let value = &body[..body.len().min(8)];
        extractor.header("x-amzn-bedrock-input-token-count", value);
    }
    for piece in body.chunks(piece.max(1)) {
        extractor.push(piece);
    }
    extractor.finish()
}

/// A body meets the extractor, the prices and a recorder's record.
pub fn responses(input: &[u8]) {
    let Some((&[head, piece], body)) = input.split_first_chunk::<2>() else {
        return;
    };
    let whole = read(head, body, body.len());
    if piece != 0 {
        let cut = read(head, body, piece.into());
        assert_eq!(cut, whole, "in pieces of {piece}");
    }
    let tokens = &whole.tokens;
    if whole.unreadable.is_some() && head & 64 == 0 {
        assert_eq!(whole.state, UsageState::Missing);
    }
    assert_eq!(tokens.is_empty(), whole.state == UsageState::Missing);
    for name in [&whole.model, &whole.path_model].into_iter().flatten() {
        assert!(name.len() <= 4 * 256, "{} bytes of a name", name.len());
    }
    static TABLE: LazyLock<PriceTable> =
        LazyLock::new(|| PriceTable::builder().own(LIST).unwrap().build());
    let _ = (TABLE.cost_of(&whole), must_be_priced_at_once(&whole));
    let record = whole.put_into(UsageRecord::new(ModelId::OTHER));
    let given = [
        (TokenKind::Input, tokens.input),
        (TokenKind::CacheRead, tokens.cache_read),
        (TokenKind::CacheWrite, tokens.cache_write),
        (TokenKind::Output, tokens.output),
        (TokenKind::Reasoning, tokens.reasoning),
        (TokenKind::Audio, tokens.audio),
    ];
    for (kind, tokens) in given {
        let most = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
        assert_eq!(record.reported(kind), tokens.map(most), "{kind:?}");
    }
}
