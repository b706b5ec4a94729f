//! The distributions as a file of figures and a picture.

use crate::common::chart::{self, Axis, Chart, Csv, Series};
use crate::load::Load;
use crate::spread::PERCENTILES;
use crate::{Measured, THREADS};

/// The numbers of threads that have a panel.
const SHOWN: [usize; 2] = [THREADS[0], THREADS[2]];

#[derive(Debug)]
pub(crate) struct Plot {
    csv: Csv,
    charts: Vec<(usize, Chart)>,
}

impl Default for Plot {
    fn default() -> Self {
        let head = "load,threads,what,mean_of_fastest_99_percent,p50,p90,p99,p99_9,p99_99,max,calls,refused";
        Self {
            csv: Csv::new(head),
            charts: Vec::new(),
        }
    }
}

impl Plot {
    pub(crate) fn add(&mut self, load: Load, threads: usize, results: &[Measured]) {
        let mut series = Vec::new();
        for result in results {
            let spread = result.service();
            let at = spread.at.map(|nanos| format!("{nanos:.1}"));
            let (calls, refused) = (result.calls(), result.refused());
            self.csv.row(&format!(
                "{load},{threads},\"{}\",{:.1},{},{calls},{refused}",
                result.name,
                spread.mean,
                at.join(",")
            ));
            // A logarithmic axis has no zero.
            let nanos = spread.at.map(|nanos| nanos.max(1.0));
            let points = nanos.into_iter().enumerate();
            let points = points.map(|(n, nanos)| (n as f64, nanos)).collect();
            series.push(Series::new(result.name, points));
        }
        if SHOWN.contains(&threads) {
            let plural = if threads == 1 { "" } else { "s" };
            let title = format!("{load}, {threads} thread{plural}");
            let names = PERCENTILES.map(|p| match p {
                100.0 => "max".to_owned(),
                p => format!("p{p}"),
            });
            let chart = Chart {
                title,
                x: Axis::named("share of calls", &names),
                y: Axis::log("time of a call, ns").between(1.0, 1e8),
                series,
            };
            self.charts.push((threads, chart));
        }
    }

    pub(crate) fn write(mut self) {
        self.csv.write("latency");
        self.charts.sort_by_key(|(threads, _)| *threads);
        let charts: Vec<_> = self.charts.into_iter().map(|(_, chart)| chart).collect();
        let title = "One call, 10 readers polling, clock taken off";
        chart::write("latency", title, &charts, 3);
    }
}
