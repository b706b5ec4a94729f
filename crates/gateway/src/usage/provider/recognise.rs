//! Who answered, from everything that is known.

use super::{Provider, Route};
use crate::usage::counts::{Kind, Shape};
use crate::usage::fields::Mark;
use crate::usage::reading::Values;

/// Marks that name a provider, the surest first: a body that was passed on
/// bears the marks of those that it passed.
const MARKS: [(Mark, Provider); 13] = [
    (Mark::OfOpenRouter, Provider::OpenRouter),
    (Mark::OfAzure, Provider::AzureOpenAi),
    (Mark::OfVertex, Provider::Vertex),
    (Mark::OfBedrock, Provider::Bedrock),
    (Mark::OfGroq, Provider::Groq),
    (Mark::OfXai, Provider::Xai),
    (Mark::OfDeepSeek, Provider::DeepSeek),
    (Mark::OfPerplexity, Provider::Perplexity),
    (Mark::OfGpuStack, Provider::GpuStack),
    (Mark::OfTogether, Provider::Together),
    (Mark::OfWriter, Provider::Writer),
    (Mark::OfOllama, Provider::Ollama),
    (Mark::OfCohere, Provider::Cohere),
];

/// Beginnings of the names of models that (almost) only their makers serve
/// under this name.
const MODELS: [(&[&str], Provider); 7] = [
    (
        &[
            "mistral-",
            "ministral-",
            "magistral-",
            "codestral-",
            "devstral-",
            "pixtral-",
            "voxtral-",
            "open-mistral-",
            "open-mixtral-",
        ],
        Provider::Mistral,
    ),
    (&["deepseek-"], Provider::DeepSeek),
    (&["grok-"], Provider::Xai),
    (&["sonar"], Provider::Perplexity),
    (&["palmyra"], Provider::Writer),
    (&["claude-"], Provider::Anthropic),
    (
        &[
            "gpt-",
            "o1",
            "o3",
            "o4",
            "chatgpt-",
            "text-embedding-",
            "text-davinci",
            "davinci",
            "babbage",
            "tts-",
            "whisper-",
            "codex-",
            "computer-use-",
            "dall-e-",
            "ft:",
        ],
        Provider::OpenAi,
    ),
];

/// The provider: the one that is told, then the one that host or path leave
/// no doubt about, then what the body shows, then whose interface the path is.
/// `None` where nothing tells.
pub(crate) fn recognise(
    told: Option<Provider>,
    route: &Route,
    values: &Values,
    model: Option<&str>,
) -> Option<Provider> {
    told.or(route.provider)
        .or_else(|| of_body(values, model))
        .or(route.likely)
}

fn of_body(values: &Values, model: Option<&str>) -> Option<Provider> {
    let marks = values.marks;
    if let Some((_, provider)) = MARKS.iter().find(|(mark, _)| marks.has(*mark)) {
        return Some(*provider);
    }
    if marks.has(Mark::OfGemini) {
        return Some(Provider::Gemini);
    }
    if marks.has(Mark::OfVllm) {
        return Some(Provider::Vllm);
    }
    if marks.has(Mark::Anthropic) && values.counts(Shape::Chat).get(Kind::Input).is_none() {
        return Some(Provider::Anthropic);
    }
    let model = model.unwrap_or_default();
    // OpenAI's open models are served by everybody but OpenAI.
    let is_open = model.starts_with("gpt-oss");
    let is_of = |names: &[&str]| !is_open && names.iter().any(|name| model.starts_with(name));
    if let Some((_, provider)) = MODELS.iter().find(|(names, _)| is_of(names)) {
        return Some(*provider);
    }
    // Transcriptions name no model, and nobody else has their fields.
    let is_own = model.is_empty() && !values.counts(Shape::InputOutput).is_empty();
    is_own.then_some(Provider::OpenAi)
}
