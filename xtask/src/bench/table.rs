//! The table of figures and goals.

use super::measure::Paired;
use crate::step::say;

/// One figure; `met` is none where there is no goal.
pub(crate) struct Row {
    measure: String,
    figure: String,
    against: String,
    ratio: String,
    goal: String,
    met: Option<bool>,
}

impl Row {
    /// CPU seconds against those of a yardstick.
    pub(crate) fn ratio(measure: &str, done: &Paired, yardstick: &str, goal: Option<f64>) -> Self {
        Self {
            measure: measure.to_owned(),
            figure: format!("{:.3} s", done.ours),
            against: format!("{:.3} s ({yardstick})", done.theirs),
            ratio: format!("{:.2}", done.ratio),
            goal: goal.map_or_else(String::new, |goal| format!("<= {goal}")),
            met: goal.map(|goal| done.ratio <= goal),
        }
    }

    /// Peak memory, in megabytes of a million bytes.
    pub(crate) fn peak(measure: &str, bytes: u64, goal: Option<f64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "megabytes with one digit")]
        let megabytes = bytes as f64 / 1e6;
        Self::plain(measure, megabytes, "MB", goal)
    }

    /// A time.
    pub(crate) fn milliseconds(measure: &str, time: f64, goal: Option<f64>) -> Self {
        Self::plain(measure, time, "ms", goal)
    }

    fn plain(measure: &str, value: f64, unit: &str, goal: Option<f64>) -> Self {
        Self {
            measure: measure.to_owned(),
            figure: format!("{value:.1} {unit}"),
            against: String::new(),
            ratio: goal.map_or_else(String::new, |goal| format!("{:.2}", value / goal)),
            goal: goal.map_or_else(String::new, |goal| format!("<= {goal} {unit}")),
            met: goal.map(|goal| value <= goal),
        }
    }
}

/// What was measured so far.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Adds a row, and tells it at once: the whole takes minutes.
    pub(crate) fn push(&mut self, row: Row) {
        say(&format!("  {}: {} {}", row.measure, row.figure, row.ratio));
        self.0.push(row);
    }

    /// The measures that miss their goal.
    pub(crate) fn missed(&self) -> Vec<&str> {
        self.0.iter().filter(|row| row.met == Some(false)).map(|row| row.measure.as_str()).collect()
    }

    pub(crate) fn show(&self) {
        if self.0.is_empty() {
            return;
        }
        let head = ["measure", "figure", "against", "ratio", "goal", ""].map(str::to_owned);
        let rows = self.0.iter().map(|row| {
            let met = match row.met {
                Some(true) => "met",
                Some(false) => "NOT MET",
                None => "",
            };
            let Row { measure, figure, against, ratio, goal, .. } = row;
            [measure.as_str(), figure, against, ratio, goal, met].map(str::to_owned)
        });
        let lines: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
        let mut widths = [0; 6];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        say("");
        for line in &lines {
            let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            say(cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
            let one: String = load.split_whitespace().take(1).collect();
            say(&format!(
                "load of the machine: {one}; CPU seconds and their ratios bear it, milliseconds do not"
            ));
        }
    }
}
