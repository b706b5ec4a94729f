//! Whose call it is, of which model, and what it costs.

use std::sync::Arc;

use http_body_util::BodyExt;
use quipu::{Label, Recorder, RowTotals};
use quipu_gateway::layer::{Labels, Source, UsageLayer};
use quipu_gateway::prices::{PriceBook, PriceTable, Pricer};
use quipu_gateway::usage::Provider;

use super::inner::{CHAT, Pieces, answer, call, chat, only};

/// The names of a call's row.
fn names(row: &RowTotals) -> [&str; 3] {
    [&row.provider, &row.model, &row.tenant].map(Label::as_str)
}

/// What is recorded of a call with labels, outside and inside of the layer.
async fn record(
    layer: impl FnOnce(UsageLayer) -> UsageLayer,
    body: &'static str,
    labels: [Option<Labels>; 2],
) -> RowTotals {
    let recorder = Recorder::in_memory();
    let layer = layer(UsageLayer::new(recorder.clone()));
    let (mut request, mut response) = (
        chat(body),
        answer("application/json", Pieces::data(&[CHAT])),
    );
    let [outside, inside] = labels;
    outside.map(|labels| request.extensions_mut().insert(labels));
    inside.map(|labels| response.extensions_mut().insert(labels));
    let response = call(&layer, request, response).await;
    assert!(response.extensions().get::<Labels>().is_none());
    let _ = response.into_body().collect().await.unwrap();
    only(&recorder)
}

#[tokio::test]
async fn names_come_from_where_the_layer_was_told_to_look() {
    let body = r#"{"model": "alias", "metadata": {"user_id": "u1"}}"#;
    let none = [None, None];
    let row = record(
        |it| it.tenant(Source::json("metadata.user_id")),
        body,
        none.clone(),
    )
    .await;
    assert_eq!(names(&row), ["openai", "gpt-4o-mini", "u1"]);
    let row = record(|it| it.model(Source::json("model")), body, none.clone()).await;
    assert_eq!(names(&row), ["openai", "alias", ""]);
    let by_header = Source::header("x-none")
        .or(Source::json("user"))
        .or(Source::header("x-tenant"));
    let row = record(|it| it.tenant(by_header), body, none.clone()).await;
    assert_eq!(names(&row)[2], "acme");
    // What the response says goes before a fallback.
    let row = record(
        |it| it.fallback_model(Source::json("model")),
        body,
        none.clone(),
    )
    .await;
    assert_eq!(names(&row)[1], "gpt-4o-mini");
    let row = record(|it| it.provider(Provider::AzureOpenAi), body, none).await;
    assert_eq!(names(&row)[0], "azure_openai");
}

#[tokio::test]
async fn labels_go_before_everything_and_those_inside_first() {
    let outside = Labels::new()
        .tenant("t1")
        .provider(Provider::Groq)
        .model("m1");
    let row = record(
        |it| {
            it.tenant(Source::header("x-tenant"))
                .provider(Provider::Mistral)
        },
        "{}",
        [Some(outside.clone()), None],
    );
    assert_eq!(names(&row.await), ["groq", "m1", "t1"]);
    let inside = Labels::new()
        .tenant("t2")
        .provider_name("ours")
        .provider(Provider::Vllm);
    let row = record(|it| it, "{}", [Some(outside), Some(inside)]).await;
    assert_eq!(names(&row), ["ours", "m1", "t2"]);
}

#[tokio::test]
async fn what_a_record_cannot_hold_is_priced_at_once() {
    let list = r#"
        [[model]]
        provider = "openai"
        name = "gpt-4o-mini"
        input = "1"
        cache_read = "0.5"
        output = "10"
        [model.service.flex]
        input = "0.5"
        cache_read = "0.25"
        output = "5"
    "#;
    let table = PriceTable::builder().own(list).unwrap().build();
    let book = Arc::new(PriceBook::new(table));
    let flex = CHAT
        .replace("\"id\"", "\"service_tier\":\"flex\",\"id\"")
        .leak();
    for (body, is_renamed, cost) in [
        // 6 × 1 + 2 × 0.5 + 3 × 10 dollars for a million.
        (CHAT, false, 37_000),
        (&*flex, false, 18_500),
        // By the provider's name for it, whatever it is recorded as.
        (CHAT, true, 37_000),
    ] {
        let builder = Recorder::builder().price_with(Pricer::new(Arc::clone(&book)));
        let recorder = builder.in_memory().unwrap();
        let mut layer = UsageLayer::new(recorder.clone()).prices(Arc::clone(&book));
        if is_renamed {
            layer = layer.model(Source::fixed("our best"));
        }
        let response = answer("application/json", Pieces::data(&[body]));
        let response = call(&layer, chat("{}"), response).await;
        let _ = response.into_body().collect().await.unwrap();
        let row = only(&recorder);
        assert_eq!((row.totals.cost_nanos, row.totals.priced), (cost, 1));
    }
}
