//! From counts as a provider cuts them to disjoint kinds.
//!
//! Each shape has a rule that says what its input and its output include. A
//! part that is included is subtracted. Where the total is given and the rule
//! doesn't fit it but its opposite does, the total decides: some that copy
//! OpenAI's format leave reasoning, or the cache, outside.

use super::counts::{Counts, Kind, Shape};
use super::fields::{Mark, Marks};
use super::finding::Finding;
use super::tokens::{Parts, Tokens};

/// What is part of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    input_includes_cache: bool,
    input_includes_audio: bool,
    output_includes_reasoning: bool,
}

impl Rule {
    const fn of(shape: Shape, marks: Marks) -> Self {
        let (input_includes_cache, output_includes_reasoning) = match shape {
            Shape::InputOutput => {
                let is_anthropic = marks.has(Mark::Anthropic);
                (!is_anthropic || marks.has(Mark::InputIncludesCache), true)
            }
            Shape::Passes | Shape::Converse | Shape::Invocation => (false, true),
            Shape::Gemini => (true, false),
            Shape::Chat
            | Shape::Cohere
            | Shape::CohereBilled
            | Shape::Ollama
            | Shape::Llama
            | Shape::Titan => (true, true),
        };
        Self {
            input_includes_cache,
            input_includes_audio: true,
            output_includes_reasoning,
        }
    }
}

/// The counts as sums need them.
#[derive(Clone, Copy, Debug)]
struct Summands {
    input: u64,
    cache: u64,
    audio_input: u64,
    tools: u64,
    output: u64,
    reasoning: u64,
}

impl Summands {
    fn of(counts: &Counts) -> Self {
        let get = |kind| counts.get(kind).unwrap_or(0);
        Self {
            input: get(Kind::Input),
            cache: get(Kind::CacheRead).saturating_add(get(Kind::CacheWrite)),
            audio_input: get(Kind::AudioInput).saturating_sub(get(Kind::AudioCached)),
            tools: get(Kind::ToolPrompt),
            output: get(Kind::Output),
            reasoning: get(Kind::Reasoning),
        }
    }

    fn sum(&self, rule: Rule) -> u64 {
        let beside = [
            (!rule.input_includes_cache, self.cache),
            (!rule.input_includes_audio, self.audio_input),
            (!rule.output_includes_reasoning, self.reasoning),
        ];
        let beside = beside.into_iter().filter(|(is_beside, _)| *is_beside);
        let beside = beside.map(|(_, tokens)| tokens);
        [self.input, self.tools, self.output]
            .into_iter()
            .chain(beside)
            .fold(0, u64::saturating_add)
    }
}

/// The rule that fits the total; where none does, the shape's own.
fn fitting(rule: Rule, parts: &Summands, total: u64, findings: &mut Vec<Finding>) -> Rule {
    let sum = parts.sum(rule);
    if sum == total {
        return rule;
    }
    let opposites = [
        Rule {
            output_includes_reasoning: !rule.output_includes_reasoning,
            ..rule
        },
        Rule {
            input_includes_audio: !rule.input_includes_audio,
            ..rule
        },
        Rule {
            input_includes_cache: !rule.input_includes_cache,
            ..rule
        },
    ];
    let fits = |rule: &Rule| parts.sum(*rule) == total;
    if let Some(rule) = opposites.into_iter().find(fits) {
        return rule;
    }
    findings.push(Finding::TotalMismatch { total, sum });
    rule
}

/// Makes the counts of one shape disjoint.
pub(super) fn disjoint(
    shape: Shape,
    counts: &Counts,
    marks: Marks,
    findings: &mut Vec<Finding>,
) -> Tokens {
    let mut counts = *counts;
    if shape == Shape::Chat && marks.has(Mark::AudioSeconds) {
        add_unsaid_audio(&mut counts);
    }
    let parts = Summands::of(&counts);
    let mut rule = Rule::of(shape, marks);
    // Without the prompt there is nothing to compare the total with.
    if let (Some(total), Some(_)) = (counts.get(Kind::Total), counts.get(Kind::Input)) {
        rule = fitting(rule, &parts, total, findings);
    }
    compare_misses(&counts, findings);
    let audio_output = counts.get(Kind::AudioOutput);
    let heard = counts.get(Kind::AudioInput).map(|_| parts.audio_input);
    let audio = match (heard, audio_output) {
        (None, None) => None,
        (heard, spoken) => Some(heard.unwrap_or(0).saturating_add(spoken.unwrap_or(0))),
    };
    let (cache_write, cache_write_1h) = cache_write(&counts, findings);
    let input = input(&counts, &parts, rule, findings);
    let output = output(&counts, rule, findings);
    let cache_read = counts.get(Kind::CacheRead);
    // A part is at most as large as what it is of.
    let part = |kind, whole: Option<u64>| counts.get(kind).map(|part| part.min(whole.unwrap_or(0)));
    let seen = counts.get(Kind::ImageInput).map(|image| {
        let uncached = image.saturating_sub(counts.get(Kind::ImageCached).unwrap_or(0));
        uncached.min(input.unwrap_or(0))
    });
    Tokens {
        input,
        cache_read,
        cache_write,
        output,
        reasoning: counts.get(Kind::Reasoning),
        audio,
        parts: Parts {
            cache_write_1h,
            cache_read_audio: part(Kind::AudioCached, cache_read),
            cache_read_image: part(Kind::ImageCached, cache_read),
            image_input: seen,
            image_output: part(Kind::ImageOutput, output),
            audio_output,
        },
    }
}

/// DeepSeek says what the cache had and what it hadn't.
fn compare_misses(counts: &Counts, findings: &mut Vec<Finding>) {
    if let (Some(prompt), Some(hits), Some(misses)) = (
        counts.get(Kind::Input),
        counts.get(Kind::CacheRead),
        counts.get(Kind::CacheMiss),
    ) {
        let sum = hits.saturating_add(misses);
        if sum != prompt {
            findings.push(Finding::CacheSplitMismatch { prompt, sum });
        }
    }
}

/// Mistral gives seconds of audio and leaves its tokens to the total. What of
/// it was cached isn't said: text is taken to be, as far as it goes.
fn add_unsaid_audio(counts: &mut Counts) {
    let get = |kind| counts.get(kind);
    let (Some(input), Some(total)) = (get(Kind::Input), get(Kind::Total)) else {
        return;
    };
    let prompt = total.saturating_sub(get(Kind::Output).unwrap_or(0));
    let Some(audio) = prompt.checked_sub(input).filter(|audio| *audio > 0) else {
        return;
    };
    let cached = get(Kind::CacheRead).unwrap_or(0);
    counts.set(Kind::Input, prompt);
    counts.set(Kind::AudioInput, audio.min(prompt.saturating_sub(cached)));
}

fn input(
    counts: &Counts,
    parts: &Summands,
    rule: Rule,
    findings: &mut Vec<Finding>,
) -> Option<u64> {
    let prompt = counts.get(Kind::Input)?;
    let cache = if rule.input_includes_cache {
        parts.cache
    } else {
        0
    };
    let audio = if rule.input_includes_audio {
        parts.audio_input
    } else {
        0
    };
    let included = cache.saturating_add(audio);
    let rest = prompt.checked_sub(included).unwrap_or_else(|| {
        findings.push(Finding::PromptPartsExceedPrompt {
            parts: included,
            prompt,
        });
        0
    });
    Some(rest.saturating_add(parts.tools))
}

fn output(counts: &Counts, rule: Rule, findings: &mut Vec<Finding>) -> Option<u64> {
    let completion = counts.get(Kind::Output)?;
    let reasoning = counts.get(Kind::Reasoning).unwrap_or(0);
    let reasoning = if rule.output_includes_reasoning {
        reasoning
    } else {
        0
    };
    let included = reasoning.saturating_add(counts.get(Kind::AudioOutput).unwrap_or(0));
    let rest = completion.checked_sub(included);
    Some(rest.unwrap_or_else(|| {
        findings.push(Finding::CompletionPartsExceedCompletion {
            parts: included,
            completion,
        });
        0
    }))
}

/// What was written to the cache, and of it what lives an hour.
fn cache_write(counts: &Counts, findings: &mut Vec<Finding>) -> (Option<u64>, Option<u64>) {
    let hour = counts.get(Kind::CacheWrite1h);
    let minutes = counts.get(Kind::CacheWrite5m);
    let by_lifetime = match (hour, minutes) {
        (None, None) => None,
        _ => Some(hour.unwrap_or(0).saturating_add(minutes.unwrap_or(0))),
    };
    let Some(written) = counts.get(Kind::CacheWrite) else {
        return (by_lifetime, hour);
    };
    match by_lifetime {
        Some(lifetimes) if lifetimes > written => {
            findings.push(Finding::CacheLifetimesExceedCacheWrite {
                lifetimes,
                cache_write: written,
            });
            (Some(written), hour.map(|hour| hour.min(written)))
        }
        _ => (Some(written), hour),
    }
}
