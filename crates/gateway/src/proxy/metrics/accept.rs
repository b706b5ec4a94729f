//! What an `accept` header asks for.

use super::text::Format;

const OPEN_METRICS: &str = "application/openmetrics-text";

/// The format for these values of `accept`: Prometheus's, unless OpenMetrics is
/// named and wanted no less.
pub(crate) fn accepted<'a>(values: impl IntoIterator<Item = &'a str>) -> Format {
    let ranges = values.into_iter().flat_map(|value| value.split(','));
    let ranges: Vec<(&str, f32)> = ranges.filter_map(range).collect();
    let weight = |name: &str| {
        let named = ranges
            .iter()
            .filter(|(it, _)| it.eq_ignore_ascii_case(name));
        named.map(|(_, weight)| *weight).reduce(f32::max)
    };
    let open = weight(OPEN_METRICS).unwrap_or(0.0);
    // The most exact name decides.
    let plain = ["text/plain", "text/*", "*/*"].into_iter().find_map(weight);
    if open > 0.0 && open >= plain.unwrap_or(0.0) {
        Format::OpenMetrics
    } else {
        Format::Prometheus
    }
}

/// A media type and its weight; `None` where that is no weight.
fn range(text: &str) -> Option<(&str, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim_end().eq_ignore_ascii_case("q").then_some(value)
    });
    let Some(weight) = weight else {
        return Some((name, 1.0));
    };
    let weight: f32 = weight.trim_start().parse().ok()?;
    (0.0..=1.0).contains(&weight).then_some((name, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_sent_where_it_is_wanted_no_less() {
        for accept in [
            "application/openmetrics-text",
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.3",
            "text/plain;version=0.0.4;q=0.3, Application/OpenMetrics-Text; version=1.0.0; Q=0.5",
            "application/openmetrics-text;q=0.4,application/openmetrics-text;q=0.5,*/*;q=0.5",
            "text/plain;q=0.1,*/*,application/openmetrics-text;q=0.2",
            "application/openmetrics-text,text/plain",
            "application/openmetrics-text;q=0.001,text/plain;q=0",
        ] {
            assert_eq!(accepted([accept]), Format::OpenMetrics, "{accept}");
        }
        let two = ["text/plain;q=0.5", "application/openmetrics-text"];
        assert_eq!(accepted(two), Format::OpenMetrics);
    }

    #[test]
    fn all_others_get_what_everybody_reads() {
        for accept in [
            "",
            ",;,=",
            "*/*",
            "application/*",
            "text/html",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.000",
            "application/openmetrics-text;q=0,*/*;q=0",
            "application/openmetrics-text;q=0.2,text/plain;q=0.3",
            "application/openmetrics-text;q=0.2,text/*;q=0.3",
            "application/openmetrics-text;q=0.2,*/*",
            "application/openmetrics-text;q=0.2,text/plain;version=0.0.4",
            "application/openmetrics-text;q=high",
            "application/openmetrics-text;q=7",
            "application/openmetrics-text;q=NaN",
            "application/openmetrics-text-not",
        ] {
            assert_eq!(accepted([accept]), Format::Prometheus, "{accept}");
        }
        assert_eq!(accepted([]), Format::Prometheus);
    }
}
