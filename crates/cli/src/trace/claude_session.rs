//! Claude Code sessions as they were published: one JSON object a session,
//! with its requests and, nested, those of its sub-agents.

use quipu::TokenKind;
use serde::Deserialize;

use super::claude_code::{PROVIDER, split_prompt};
use super::diagnose::{self, Key, Kind, Object, needed, optional};
use super::field::duration;
use super::lines::JsonReader;
use super::{Defaults, Doubt, Event};

#[derive(Deserialize)]
struct Session {
    id: String,
    block_size: u64,
    requests: Vec<Entry>,
}

/// A request, or a sub-agent with requests of its own.
#[derive(Deserialize)]
struct Entry {
    t: f64,
    #[serde(rename = "type")]
    kind: String,
    model: Option<String>,
    #[serde(rename = "in")]
    input: Option<u64>,
    out: Option<u64>,
    #[serde(default)]
    hash_ids: Vec<u64>,
    api_time: Option<f64>,
    ttft: Option<f64>,
    #[serde(default)]
    requests: Vec<Entry>,
}

const SESSION: [Key; 3] = [
    needed("id", Kind::Text),
    needed("block_size", Kind::Whole),
    needed("requests", Kind::List),
];

const ENTRY: [Key; 9] = [
    needed("t", Kind::Number),
    needed("type", Kind::Text),
    optional("model", Kind::Text),
    optional("in", Kind::Whole),
    optional("out", Kind::Whole),
    optional("hash_ids", Kind::List),
    optional("api_time", Kind::Number),
    optional("ttft", Kind::Number),
    optional("requests", Kind::List),
];

/// What is wrong with a session, or with a request somewhere in it.
fn wrong_key(session: &Object) -> Option<String> {
    diagnose::wrong_key(session, &SESSION).or_else(|| wrong_entry(session))
}

fn wrong_entry(agent: &Object) -> Option<String> {
    let requests = agent.get("requests")?.as_array()?;
    requests.iter().enumerate().find_map(|(index, entry)| {
        let wrong = match entry.as_object() {
            Some(entry) => diagnose::wrong_key(entry, &ENTRY).or_else(|| wrong_entry(entry)),
            None => Some("it isn't a JSON object".to_owned()),
        };
        wrong.map(|reason| format!("request {index}: {reason}"))
    })
}

const SUB_AGENT: &str = "subagent";
const STREAMED: &str = "s";

pub(super) struct Reader {
    defaults: Defaults,
}

impl Reader {
    pub(super) fn new(defaults: &Defaults) -> Self {
        Self {
            defaults: defaults.clone(),
        }
    }

    /// The calls of one agent, whose clock began `began` seconds into the
    /// session.
    fn agent<'a>(
        &self,
        session: &'a Session,
        requests: &'a [Entry],
        began: f64,
        events: &mut Vec<Event<'a>>,
    ) -> Result<(), String> {
        let mut before: Option<&[u64]> = None;
        for (index, entry) in requests.iter().enumerate() {
            let place = |reason: String| format!("request {index}: {reason}");
            if entry.kind == SUB_AGENT {
                self.agent(session, &entry.requests, began + entry.t, events)?;
                continue;
            }
            let event = self.request(session, entry, began, before).map_err(place)?;
            events.push(event);
            before = Some(&entry.hash_ids);
        }
        Ok(())
    }

    fn request<'a>(
        &self,
        session: &'a Session,
        entry: &'a Entry,
        began: f64,
        before: Option<&[u64]>,
    ) -> Result<Event<'a>, String> {
        let since = duration("t", began + entry.t)?.as_nanos();
        let since = u64::try_from(since).map_err(|_| "t is out of range".to_owned())?;
        let model = entry.model.as_deref().ok_or("model is missing")?;
        let prompt = entry.input.ok_or("in is missing")?;
        let output = entry.out.ok_or("out is missing")?;
        let repeated = before.map(|before| {
            let same = before.iter().zip(&entry.hash_ids);
            same.take_while(|(before, now)| before == now).count() as u64
        });
        let (input, cache_read) = split_prompt(prompt, repeated, session.block_size);
        let mut event = Event::new(self.defaults.after_start(since)?, PROVIDER, model)
            .tokens(TokenKind::Input, Some(input))
            .tokens(TokenKind::CacheRead, cache_read)
            .tokens(TokenKind::Output, Some(output));
        event.doubt = repeated.map(|_| Doubt::StandIn);
        event.tenant = session.id.as_str().into();
        event.streamed = entry.kind == STREAMED;
        event.latency = entry
            .api_time
            .map(|s| duration("api_time", s))
            .transpose()?;
        event.time_to_first_token = entry.ttft.map(|s| duration("ttft", s)).transpose()?;
        Ok(event)
    }
}

impl JsonReader for Reader {
    fn read(&self, line: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), String> {
        let session: Session = serde_json::from_slice(line)
            .map_err(|error| diagnose::reason(&error, line, wrong_key))?;
        // A session counts whole or not at all.
        let mut events = Vec::new();
        self.agent(&session, &session.requests, 0.0, &mut events)?;
        events.into_iter().for_each(each);
        Ok(())
    }
}
