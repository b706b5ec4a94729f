//! Reads the text formats of Prometheus and OpenMetrics, strictly.

use std::collections::{BTreeMap, BTreeSet};

/// A series: its name and labels.
pub(crate) type Series = (String, BTreeMap<String, String>);

/// A page of metrics that is right.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Type by the family's name.
    pub(crate) families: BTreeMap<String, String>,
    pub(crate) samples: BTreeMap<Series, f64>,
    is_open_metrics: bool,
}

impl Page {
    /// Reads a page in Prometheus's format.
    pub(crate) fn parse(text: &str) -> Self {
        Self::read(text, false)
    }

    /// Reads one in OpenMetrics's, with the mark at its end.
    pub(crate) fn parse_open_metrics(text: &str) -> Self {
        let text = text.strip_suffix("# EOF\n").expect("no end");
        Self::read(text, true)
    }

    fn read(text: &str, is_open_metrics: bool) -> Self {
        let mut page = Self {
            is_open_metrics,
            ..Self::default()
        };
        assert!(text.ends_with('\n'), "an unfinished line");
        let mut help = BTreeSet::new();
        let mut family = String::new();
        for line in text.lines() {
            assert!(!line.is_empty(), "an empty line");
            let Some(comment) = line.strip_prefix("# ") else {
                page.sample(line, &family);
                continue;
            };
            let mut words = comment.splitn(3, ' ');
            let (kind, name, rest) = (words.next(), words.next().unwrap(), words.next());
            assert_name(name, line);
            let rest = rest.unwrap_or_else(|| panic!("nothing said: {line}"));
            match kind.unwrap() {
                "HELP" => {
                    assert!(help.insert(name.to_owned()), "twice: {line}");
                    family = name.to_owned();
                }
                "TYPE" => {
                    assert_eq!(name, family, "a type of another family: {line}");
                    let known = ["counter", "gauge", "histogram", "summary"];
                    assert!(known.contains(&rest), "{line}");
                    let before = page.families.insert(name.to_owned(), rest.to_owned());
                    assert_eq!(before, None, "twice: {line}");
                }
                "UNIT" => {
                    assert!(is_open_metrics, "{line}");
                    assert!(
                        name == family && name.ends_with(&format!("_{rest}")),
                        "{line}"
                    );
                }
                other => panic!("{other}: {line}"),
            }
        }
        page.check_histograms();
        page
    }

    fn sample(&mut self, line: &str, family: &str) {
        let kind = self
            .families
            .get(family)
            .unwrap_or_else(|| panic!("no type: {line}"));
        let (name, labels, rest) = name_and_labels(line);
        let suffix = name
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("of another family than {family}: {line}"));
        let suffixes: &[&str] = match (kind.as_str(), self.is_open_metrics) {
            // Only OpenMetrics names the family without it.
            ("counter", true) => &["_total"],
            ("histogram", _) => &["_bucket", "_sum", "_count"],
            ("summary", _) => &["_sum", "_count"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{kind}: {line}");
        assert!(kind != "counter" || name.ends_with("_total"), "{line}");
        assert_eq!(suffix == "_bucket", labels.contains_key("le"), "{line}");
        let value: f64 = rest.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        assert!(value.is_finite() && value >= 0.0, "{line}");
        let before = self.samples.insert((name, labels), value);
        assert_eq!(before, None, "twice: {line}");
    }

    /// Buckets add up, and the last has all.
    fn check_histograms(&self) {
        let histograms = self
            .families
            .iter()
            .filter(|(_, kind)| *kind == "histogram");
        for (family, _) in histograms {
            let mut buckets: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
            for ((_, labels), count) in self.of(&format!("{family}_bucket")) {
                let mut labels = labels.clone();
                let bound = labels.remove("le").unwrap();
                let bound = bound.parse().unwrap();
                buckets.entry(labels).or_default().push((bound, *count));
            }
            for (labels, mut buckets) in buckets {
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                let is_cumulative = buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1);
                assert!(is_cumulative, "{family}{labels:?}: {buckets:?}");
                let (bound, all) = *buckets.last().unwrap();
                assert!(bound.is_infinite(), "{family}{labels:?}: no +Inf");
                let of =
                    |suffix: &str| self.samples[&(format!("{family}{suffix}"), labels.clone())];
                assert!((all - of("_count")).abs() < 0.5, "{family}{labels:?}");
                assert!(of("_sum") >= 0.0);
            }
        }
    }

    /// The samples of this name.
    pub(crate) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Series, &'a f64)> {
        self.samples.iter().filter(move |((it, _), _)| it == name)
    }

    /// The sum over all samples of this name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.of(name).map(|(_, value)| value).sum()
    }

    /// No counter is below what it was, and none is gone.
    #[track_caller]
    pub(crate) fn assert_not_before(&self, earlier: &Self) {
        for (series, before) in &earlier.samples {
            let of_counter = ["_total", "_bucket", "_count", "_sum"];
            if of_counter.iter().any(|suffix| series.0.ends_with(suffix)) {
                let now = self.samples.get(series);
                assert!(now >= Some(before), "{series:?}: {before}, then {now:?}");
            }
        }
    }
}

#[track_caller]
fn assert_name(name: &str, line: &str) {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':';
    assert!(!name.is_empty() && name.chars().all(is_fine), "{line}");
    assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{line}");
}

/// A sample's name, its labels, and what comes behind one space.
fn name_and_labels(line: &str) -> (String, BTreeMap<String, String>, &str) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert_name(name, line);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"").unwrap();
            assert_name(label, line);
            let (value, behind) = unescaped(behind, line);
            let before = labels.insert(label.to_owned(), value);
            assert_eq!(before, None, "twice: {label} in {line}");
            match behind.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => {
                    rest = more;
                    break;
                }
                _ => panic!("{line}"),
            }
        }
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    (name.to_owned(), labels, value)
}

/// A label's value, up to the quotation mark that ends it.
fn unescaped<'a>(text: &'a str, line: &str) -> (String, &'a str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('\\' | '"'))) => value.push(c),
                other => panic!("escaped {other:?}: {line}"),
            },
            c => value.push(c),
        }
    }
    panic!("no end: {line}");
}

#[test]
fn a_wrong_page_is_told_from_a_right_one() {
    let right = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\\\\\\n\"} 1\na_total 2\n\
        # HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n";
    assert_eq!(Page::parse(right).samples.len(), 6);
    for (from, to) in [
        ("# TYPE a_total counter\n", ""),
        ("a_total 2", "a_total{x=\"1\\\\\\n\"} 2"),
        ("a_total 2", "a_total two"),
        ("a_total 2", "a_total -2"),
        ("a_total 2", "b_total 2"),
        ("a_total 2\n", "a_total 2\n\n"),
        ("h_count 2\n", "h_count 2"),
        ("h_count 2", "h_count 3"),
        ("le=\"1\"} 1", "le=\"1\"} 5"),
        ("h_bucket{le=\"+Inf\"} 2\n", ""),
        ("x=\"1", "x=\"1\\x"),
        ("{x=", "{x=\"1\",x="),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right);
        let read = std::panic::catch_unwind(|| Page::parse(&wrong));
        assert!(read.is_err(), "{wrong}");
    }
}
