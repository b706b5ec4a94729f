//! Which columns of a table fit a terminal.

use super::{Column, ColumnKind, GAP, Table};
use crate::text;

/// Names may be cut to this many columns before other columns are left out,
const NAME_COMFORT: usize = 18;
/// to this many where there is room for two or three columns only,
const NAME_NARROW: usize = 14;
const NARROW: usize = 60;
/// and to this many when nothing else helps.
const NAME_LEAST: usize = 8;

/// Columns with their widths.
#[derive(Clone)]
pub(super) struct Layout {
    /// Those shown, in their order.
    pub(super) shown: Vec<usize>,
    /// By number of the column.
    pub(super) widths: Vec<usize>,
    /// What those are called that there was no room for.
    pub(super) dropped: Vec<String>,
}

impl Layout {
    pub(super) fn total(&self) -> usize {
        let cells: usize = self.shown.iter().map(|c| self.widths[*c]).sum();
        cells + GAP * self.shown.len().saturating_sub(1)
    }
}

impl Table {
    /// Which columns are shown, and how wide: keys and names always, then by
    /// what matters most as long as there is room.
    pub(super) fn layout(&self, room: Option<usize>) -> Layout {
        let mut layout = Layout {
            shown: (0..self.columns.len()).collect(),
            widths: self.widths.clone(),
            dropped: Vec::new(),
        };
        self.fit_groups(&mut layout);
        let Some(room) = room.filter(|room| layout.total() > *room) else {
            return layout;
        };
        layout.widths.clone_from(&self.widths);
        let names: Vec<usize> = self.numbers(|c| c.kind == ColumnKind::Name).collect();
        let comfort = if room < NARROW {
            NAME_NARROW
        } else {
            NAME_COMFORT
        };
        for name in &names {
            layout.widths[*name] = layout.widths[*name].min(comfort);
        }
        layout.shown = self.numbers(|c| !c.can_go()).collect();
        // A column that says nothing goes without a word.
        let others = self.numbers(Column::can_go).filter(|c| self.filled[*c]);
        let mut others: Vec<usize> = others.collect();
        others.sort_by_key(|c| std::cmp::Reverse(self.columns[*c].keep));
        for column in others {
            let mut with = layout.clone();
            with.shown.push(column);
            self.fit_groups(&mut with);
            if with.total() <= room {
                layout.shown.push(column);
            } else {
                layout.dropped.push(self.columns[column].full_name());
            }
        }
        self.fit_groups(&mut layout);
        self.fit_names(&mut layout, &names, room);
        layout
    }

    fn numbers(&self, which: impl Fn(&Column) -> bool) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(move |c| which(&self.columns[*c]))
    }

    /// Makes columns wide enough for what stands above them in common.
    fn fit_groups(&self, layout: &mut Layout) {
        let Layout { shown, widths, .. } = layout;
        shown.sort_unstable();
        let group = |column: &usize| self.columns[*column].group;
        for run in shown.chunk_by(|a, b| group(a) == group(b)) {
            let Some(last) = run.last() else { continue };
            let width = run.iter().map(|c| widths[*c]).sum::<usize>() + GAP * (run.len() - 1);
            widths[*last] += text::width(group(last)).saturating_sub(width);
        }
    }

    /// Takes columns from the widest name until the table fits, or gives the
    /// narrowest what is left.
    fn fit_names(&self, layout: &mut Layout, names: &[usize], room: usize) {
        while layout.total() > room {
            let names = names.iter().copied();
            let widest = names.max_by_key(|c| layout.widths[*c]);
            match widest {
                Some(column) if layout.widths[column] > NAME_LEAST => layout.widths[column] -= 1,
                _ => break,
            }
        }
        while layout.total() < room {
            let cut = names
                .iter()
                .copied()
                .filter(|c| layout.widths[*c] < self.widths[*c]);
            match cut.min_by_key(|c| layout.widths[*c]) {
                Some(column) => layout.widths[column] += 1,
                None => break,
            }
        }
    }
}
