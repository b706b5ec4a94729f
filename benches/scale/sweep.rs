//! One quantity over another, for several series: as a table, as lines of a
//! CSV file and as a chart.

use crate::common::chart::{self, Axis, Chart, Csv, Series};
use crate::common::sample::Sample;
use crate::common::text::{Table, count, number};

#[derive(Debug)]
pub(crate) struct Sweep {
    title: String,
    x: &'static str,
    unit: &'static str,
    y: Axis,
    xs: Vec<usize>,
    series: Vec<(String, Vec<Vec<f64>>)>,
}

impl Sweep {
    pub(crate) fn new(
        title: &str,
        (x, xs): (&'static str, &[usize]),
        (y, unit): (Axis, &'static str),
        series: &[&str],
    ) -> Self {
        let none = || vec![Vec::new(); xs.len()];
        Self {
            title: title.to_owned(),
            x,
            unit,
            y,
            xs: xs.to_vec(),
            series: series.iter().map(|s| ((*s).to_owned(), none())).collect(),
        }
    }

    /// One more value of the series `series` at the `x`-th place.
    pub(crate) fn add(&mut self, series: usize, x: usize, value: f64) {
        self.series[series].1[x].push(value);
    }

    fn samples(&self) -> impl Iterator<Item = (&str, Vec<(usize, Sample)>)> {
        self.series.iter().map(|(name, values)| {
            let points = self.xs.iter().zip(values);
            let points = points.filter(|(_, values)| !values.is_empty());
            let samples = points.map(|(x, values)| (*x, Sample::new(values.clone())));
            (name.as_str(), samples.collect())
        })
    }

    fn print(&self) {
        println!("\n{}, {}", self.title, self.unit);
        let mut head = vec![self.x];
        head.extend(self.series.iter().map(|series| series.0.as_str()));
        let mut table = Table::new(&head);
        let columns: Vec<_> = self.samples().map(|(_, samples)| samples).collect();
        for x in &self.xs {
            let mut cells = vec![count(*x)];
            for column in &columns {
                let sample = column.iter().find(|(at, _)| at == x);
                cells.push(sample.map_or_else(String::new, |(_, sample)| {
                    let (low, high) = (number(sample.quarter(1)), number(sample.quarter(3)));
                    format!("{} ({low} – {high})", number(sample.median()))
                }));
            }
            table.row(cells);
        }
        table.print();
    }

    fn rows(&self, csv: &mut Csv) {
        for (name, samples) in self.samples() {
            for (x, sample) in samples {
                csv.row(&format!(
                    "\"{}\",\"{name}\",{},{x},{},{:.3},{:.3},{:.3}",
                    self.title,
                    self.x,
                    self.unit,
                    sample.median(),
                    sample.quarter(1),
                    sample.quarter(3)
                ));
            }
        }
    }

    fn chart(&self) -> Chart {
        let series = self.samples().map(|(name, samples)| {
            let mut series = Series::new(name, Vec::new());
            for (x, sample) in samples {
                let place = self.xs.iter().position(|at| *at == x).unwrap();
                series.push(place as f64, &sample);
            }
            series
        });
        // What is looked at grows by steps of about the same factor.
        let names: Vec<_> = self.xs.iter().map(|x| chart::short(*x as f64)).collect();
        Chart {
            title: self.title.clone(),
            x: Axis::named(self.x, &names),
            y: self.y.clone(),
            series: series.collect(),
        }
    }
}

/// What goes into one picture.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) sweeps: Vec<Sweep>,
}

impl Figure {
    pub(crate) fn print(&self) {
        println!("\n== {}", self.title);
        for sweep in &self.sweeps {
            sweep.print();
        }
    }

    pub(crate) fn write(&self) {
        let mut csv = Csv::new("chart,series,x_is,x,unit,median,lower_quartile,upper_quartile");
        for sweep in &self.sweeps {
            sweep.rows(&mut csv);
        }
        csv.write(self.name);
        let charts: Vec<_> = self.sweeps.iter().map(Sweep::chart).collect();
        chart::write(self.name, self.title, &charts, charts.len().min(3));
    }
}
