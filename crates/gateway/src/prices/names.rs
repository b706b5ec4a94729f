//! Which entry of a table a model's name means.

/// The providers of LiteLLM's list by quipu's names, and the order in which
/// they go before each other where two have the same model.
const FAMILIES: &[(&str, &[&str])] = &[
    ("openai", &["openai", "text-completion-openai"]),
    ("gemini", &["gemini"]),
    ("bedrock", &["bedrock_converse", "bedrock"]),
    ("azure_openai", &["azure", "azure_text", "azure_ai"]),
    (
        "mistral",
        &["mistral", "codestral", "text-completion-codestral"],
    ),
    ("cohere", &["cohere_chat", "cohere"]),
    ("vllm", &["hosted_vllm", "vllm"]),
    ("together", &["together_ai"]),
    (
        "fireworks",
        &["fireworks_ai", "fireworks_ai-embedding-models"],
    ),
];

fn is_vertex(litellm: &str) -> bool {
    litellm == "vertex_ai" || litellm.starts_with("vertex_ai-")
}

/// quipu's name for a provider of LiteLLM's, and its rank within that name.
pub(super) fn family(litellm: &str) -> (&str, usize) {
    if is_vertex(litellm) {
        return ("vertex", 0);
    }
    for (family, members) in FAMILIES {
        if let Some(rank) = members.iter().position(|member| *member == litellm) {
            return (family, rank);
        }
    }
    (litellm, 0)
}

/// The model in a key of LiteLLM's list: what is behind the provider's name,
/// or one of its family.
pub(super) fn model_of<'a>(key: &'a str, litellm: &str) -> &'a str {
    let Some((before, model)) = key.split_once('/') else {
        return key;
    };
    let is_same = family(before).0 == family(litellm).0;
    if is_same { model } else { key }
}

/// The names that a model's name may stand under in a table, the first that is
/// there counts:
///
/// 1. the name itself, without a leading `models/`;
/// 2. for a fine-tuned model `ft:base:owner:name:id`, `ft:base`;
/// 3. without the date at its end (`-20250929`, `-2025-09-29`, `@20250929`).
pub(super) fn candidates(name: &str) -> impl Iterator<Item = &str> {
    let name = name.strip_prefix("models/").unwrap_or(name);
    let base = fine_tuned(name).unwrap_or(name);
    let tuned = (base.len() < name.len()).then_some(base);
    [Some(name), tuned, undated(base)].into_iter().flatten()
}

fn fine_tuned(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("ft:")?;
    let end = rest.find(':')?;
    name.get(.."ft:".len() + end)
}

/// The name without a date at its end.
fn undated(name: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // -YYYYMMDD or @YYYYMMDD
    if let Some(at) = name.len().checked_sub(9)
        && let Some(date) = name.get(at + 1..)
        && matches!(name.as_bytes().get(at), Some(b'-' | b'@'))
        && digits(date)
        && is_date(date.get(..4)?, date.get(4..6)?, date.get(6..)?)
    {
        return name.get(..at).filter(|name| !name.is_empty());
    }
    // -YYYY-MM-DD
    let at = name.len().checked_sub(11)?;
    let date = name.get(at..)?.strip_prefix('-')?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_iso = year.len() == 4 && month.len() == 2 && day.len() == 2;
    let is_number = [year, month, day].iter().all(|part| digits(part));
    if is_iso && is_number && is_date(year, month, day) {
        return name.get(..at).filter(|name| !name.is_empty());
    }
    None
}

fn is_date(year: &str, month: &str, day: &str) -> bool {
    let is_within = |text: &str, low: u16, high: u16| {
        text.parse()
            .is_ok_and(|value: u16| (low..=high).contains(&value))
    };
    is_within(year, 2000, 2999) && is_within(month, 1, 12) && is_within(day, 1, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_at_the_end_are_left_out_last() {
        for (name, expected) in [
            ("gpt-4o", &["gpt-4o"][..]),
            ("gpt-4o-2024-08-06", &["gpt-4o-2024-08-06", "gpt-4o"]),
            (
                "claude-sonnet-4-5-20250929",
                &["claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
            ),
            (
                "claude-opus-4@20250514",
                &["claude-opus-4@20250514", "claude-opus-4"],
            ),
            ("models/gemini-2.5-pro", &["gemini-2.5-pro"]),
            (
                "ft:gpt-4o-2024-08-06:acme::abc",
                &[
                    "ft:gpt-4o-2024-08-06:acme::abc",
                    "ft:gpt-4o-2024-08-06",
                    "ft:gpt-4o",
                ],
            ),
            // No dates.
            ("gpt-4-0613", &["gpt-4-0613"]),
            ("model-12345678", &["model-12345678"]),
            ("model-2024-13-01", &["model-2024-13-01"]),
            ("20250929", &["20250929"]),
            ("-20250929", &["-20250929"]),
            ("", &[""]),
        ] {
            assert_eq!(candidates(name).collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn keys_lose_their_providers_name() {
        for (key, litellm, family_name, model) in [
            ("gpt-4o", "openai", "openai", "gpt-4o"),
            ("azure/gpt-4o", "azure", "azure_openai", "gpt-4o"),
            ("azure_ai/grok-4", "azure_ai", "azure_openai", "grok-4"),
            (
                "gemini/gemini-2.5-pro",
                "gemini",
                "gemini",
                "gemini-2.5-pro",
            ),
            (
                "gemini-2.5-pro",
                "vertex_ai-language-models",
                "vertex",
                "gemini-2.5-pro",
            ),
            (
                "vertex_ai/claude-opus-4-5",
                "vertex_ai-anthropic_models",
                "vertex",
                "claude-opus-4-5",
            ),
            (
                "openrouter/anthropic/claude-3",
                "openrouter",
                "openrouter",
                "anthropic/claude-3",
            ),
            (
                "us.amazon.nova-pro-v1:0",
                "bedrock_converse",
                "bedrock",
                "us.amazon.nova-pro-v1:0",
            ),
            (
                "together_ai/meta-llama/x",
                "together_ai",
                "together",
                "meta-llama/x",
            ),
        ] {
            assert_eq!(family(litellm).0, family_name, "{key}");
            assert_eq!(model_of(key, litellm), model, "{key}");
        }
    }
}
