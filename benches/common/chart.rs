//! Figures for docs/plots: CSV, and SVG on a white ground.
//!
//! Axes are drawn in a scale of their own (logarithms where asked for), so
//! that every kind of axis is one type.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text::number;

/// Okabe and Ito's colours, which colour-blind people tell apart.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(120, 120, 120),
    RGBColor(230, 159, 0),
];
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);
const FONT: &str = "Helvetica, Arial, sans-serif";
/// One chart, and the strip above all with the title.
const SIZE: (u32, u32) = (480, 360);
const HEAD: u32 = 44;

fn folder() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plots"));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Lines of a CSV file.
#[derive(Debug)]
pub(crate) struct Csv(String);

impl Csv {
    pub(crate) fn new(head: &str) -> Self {
        Self(format!("{head}\n"))
    }

    pub(crate) fn row(&mut self, row: &str) {
        self.0 += row;
        self.0 += "\n";
    }

    pub(crate) fn write(&self, name: &str) {
        fs::write(folder().join(format!("{name}.csv")), &self.0).unwrap();
    }
}

/// A line, with the middle half of each point where it is known.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    halves: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.to_owned(),
            points,
            halves: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, x: f64, sample: &super::sample::Sample) {
        self.points.push((x, sample.median()));
        self.halves.push((sample.quarter(1), sample.quarter(3)));
    }
}

#[derive(Clone, Debug)]
enum Scale {
    Linear,
    Log,
}

#[derive(Clone, Debug)]
pub(crate) struct Axis {
    label: String,
    scale: Scale,
    range: Option<Range<f64>>,
    /// Where the marks are, if not at round numbers, and what they say.
    marks: Option<Vec<(f64, String)>>,
}

impl Axis {
    fn new(label: &str, scale: Scale) -> Self {
        Self {
            label: label.to_owned(),
            scale,
            range: None,
            marks: None,
        }
    }

    pub(crate) fn linear(label: &str) -> Self {
        Self::new(label, Scale::Linear)
    }

    pub(crate) fn log(label: &str) -> Self {
        Self::new(label, Scale::Log)
    }

    /// Names at equal distances.
    pub(crate) fn named(label: &str, names: &[String]) -> Self {
        let marks = names.iter().enumerate();
        let marks = marks.map(|(n, name)| (n as f64, name.clone())).collect();
        Self {
            marks: Some(marks),
            ..Self::linear(label)
        }
    }

    pub(crate) fn between(mut self, from: f64, to: f64) -> Self {
        self.range = Some(from..to);
        self
    }

    fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(1e-3).log10(),
        }
    }

    /// The range to draw, and the marks in it.
    fn layout(&self, values: impl Iterator<Item = f64>) -> Layout {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for value in values {
            low = low.min(value);
            high = high.max(value);
        }
        if let Some(range) = &self.range {
            (low, high) = (range.start, range.end);
        }
        if let Some(marks) = &self.marks {
            let marks = marks.iter().map(|(v, s)| (self.place(*v), s.clone()));
            let pad = (self.place(high) - self.place(low)) * 0.04;
            let range = self.place(low) - pad..self.place(high) + pad;
            return Layout(range, marks.collect());
        }
        match self.scale {
            Scale::Linear => {
                let step = round_step(high / 5.0);
                let steps = (high * 1.08 / step).ceil();
                let marks = (0..=steps as usize).map(|n| n as f64 * step);
                Layout(0.0..steps * step, marks.map(|v| (v, short(v))).collect())
            }
            Scale::Log => {
                let range = if self.range.is_some() {
                    low.log10()..high.log10()
                } else {
                    (low * 0.7).log10()..(high * 1.5).log10()
                };
                let span = range.end - range.start;
                let within: &[f64] = if span < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let decades = range.start.floor() as i32..=range.end.ceil() as i32;
                let marks = decades
                    .flat_map(|decade| within.iter().map(move |n| n * 10f64.powi(decade)))
                    .filter(|v| (range.start - 1e-9..=range.end + 1e-9).contains(&v.log10()))
                    .map(|v| (v.log10(), short(v)));
                Layout(range.clone(), marks.collect())
            }
        }
    }
}

/// What is drawn of an axis: the range, and marks with what they say.
#[derive(Clone, Debug)]
struct Layout(Range<f64>, Vec<(f64, String)>);

impl Ranged for Layout {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, pixels: (i32, i32)) -> i32 {
        let share = (value - self.0.start) / (self.0.end - self.0.start);
        pixels.0 + (share * f64::from(pixels.1 - pixels.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.1.iter().map(|mark| mark.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.0.clone()
    }
}

impl ValueFormatter<f64> for Layout {
    fn format_ext(&self, value: &f64) -> String {
        let mark = self.1.iter().find(|mark| (mark.0 - value).abs() < 1e-9);
        mark.map_or_else(String::new, |mark| mark.1.clone())
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below.
fn round_step(least: f64) -> f64 {
    let decade = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|n| n * decade);
    steps
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap()
}

/// A number as short as a mark must be.
pub(crate) fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{} M", v / 1e6),
        v if v >= 1e4 && v % 1e3 == 0.0 => format!("{} k", v / 1e3),
        v if v >= 1000.0 => number(v),
        v => format!("{}", (v * 1e6).round() / 1e6),
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
}

/// Draws the charts side by side, so many in a row, into one file.
pub(crate) fn write(name: &str, title: &str, charts: &[Chart], columns: usize) {
    let rows = charts.len().div_ceil(columns);
    let size = (SIZE.0 * columns as u32, SIZE.1 * rows as u32 + HEAD);
    let path = folder().join(format!("{name}.svg"));
    let root = SVGBackend::new(&path, size).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let (head, body) = root.split_vertically(HEAD);
    let middle = Pos::new(HPos::Center, VPos::Center);
    let style = (FONT, 20).into_font().color(&INK).pos(middle);
    let at = (size.0 as i32 / 2, HEAD as i32 / 2 + 4);
    head.draw_text(title, &style, at).unwrap();
    for (area, chart) in body.split_evenly((rows, columns)).iter().zip(charts) {
        draw(area, chart);
    }
    root.present().unwrap();
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(area: &Area<'_>, chart: &Chart) {
    let points = || chart.series.iter().flat_map(|series| &series.points);
    let halves = || chart.series.iter().flat_map(|series| &series.halves);
    let xs = chart.x.layout(points().map(|point| point.0));
    let ys = points().map(|point| point.1);
    let ys = chart.y.layout(ys.chain(halves().map(|half| half.1)));
    let ranges = (xs.0.clone(), ys.0.clone());
    let mut canvas = ChartBuilder::on(area)
        .caption(&chart.title, (FONT, 16).into_font().color(&INK))
        .margin(10)
        .margin_right(18)
        .x_label_area_size(44)
        .y_label_area_size(62)
        .build_cartesian_2d(xs, ys)
        .unwrap();
    canvas
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, 13).into_font().color(&INK))
        .axis_desc_style((FONT, 14).into_font().color(&INK))
        .x_desc(&chart.x.label)
        .y_desc(&chart.y.label)
        .draw()
        .unwrap();
    for (series, colour) in chart.series.iter().zip(COLOURS.iter().cycle()) {
        let place = |(x, y): (f64, f64)| (chart.x.place(x), chart.y.place(y));
        let points: Vec<_> = series.points.iter().map(|point| place(*point)).collect();
        for ((x, _), (low, high)) in series.points.iter().zip(&series.halves) {
            let ends = vec![place((*x, *low)), place((*x, *high))];
            let bar = PathElement::new(ends, colour.mix(0.45).stroke_width(5));
            canvas.draw_series([bar]).unwrap();
        }
        let dots = points.iter().map(|at| Circle::new(*at, 3, colour.filled()));
        canvas.draw_series(dots).unwrap();
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
        let style = *colour;
        canvas
            .draw_series(line)
            .unwrap()
            .label(&series.name)
            .legend(move |(x, y)| {
                PathElement::new(vec![(x, y), (x + 16, y)], style.stroke_width(3))
            });
    }
    if chart.series.len() > 1 {
        canvas
            .configure_series_labels()
            .position(corner(chart, &ranges))
            .margin(8)
            .legend_area_size(22)
            .background_style(WHITE.mix(0.85))
            .border_style(GRID)
            .label_font((FONT, 13).into_font().color(&INK))
            .draw()
            .unwrap();
    }
}

/// The corner in whose part of the chart there are the fewest points.
fn corner(chart: &Chart, (xs, ys): &(Range<f64>, Range<f64>)) -> SeriesLabelPosition {
    use SeriesLabelPosition::{LowerLeft, LowerRight, UpperLeft, UpperRight};
    let share = |value: f64, range: &Range<f64>| (value - range.start) / (range.end - range.start);
    let crowd = |right: bool, upper: bool| {
        let points = chart.series.iter().flat_map(|series| &series.points);
        let places = points.map(|(x, y)| {
            let (x, y) = (share(chart.x.place(*x), xs), share(chart.y.place(*y), ys));
            (
                if right { 1.0 - x } else { x },
                if upper { 1.0 - y } else { y },
            )
        });
        let height = 0.1 + 0.065 * chart.series.len() as f64;
        places.filter(|(x, y)| *x < 0.6 && *y < height).count()
    };
    let corners = [
        (UpperLeft, crowd(false, true)),
        (LowerLeft, crowd(false, false)),
        (UpperRight, crowd(true, true)),
        (LowerRight, crowd(true, false)),
    ];
    let least = corners.into_iter().min_by_key(|(_, crowd)| *crowd);
    least.map_or(UpperLeft, |(corner, _)| corner)
}
