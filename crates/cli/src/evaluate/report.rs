//! The numbers as a table for people, and as JSON for machines.

use ganvas_data::ImageSource;
use ganvas_evaluator::{Floor, FoundEvaluator};
use ganvas_training::counted;
use serde_json::{Map, Value, json};

use super::{
    compare::{Compared, Numbers, OfSubject},
    real::RealImages,
};
use crate::{output::print_line, words::number};

/// Columns of the table: a number, and what stands above it.
const COLUMNS: [(&str, &str); 15] = [
    ("fid", "FID"),
    ("kid", "KID"),
    ("precision", "prec."),
    ("recall", "recall"),
    ("density", "dens."),
    ("coverage", "cover."),
    ("score", "score"),
    ("class_entropy", "entr."),
    ("class_distance", "distr."),
    ("class_accuracy", "asked"),
    ("class_recall", "c.rec."),
    ("class_recall_min", "least"),
    ("memorized", "memor."),
    ("modes", "modes"),
    ("modes_kl", "KL"),
];

/// So many of them and their labels fit into 80.
const MOST_COLUMNS: usize = 10;

/// How wide a column is.
fn width(name: &str) -> usize {
    // The one number that may be below zero.
    if name == "kid" { 8 } else { 7 }
}

/// What came of an evaluation, and what a score is never printed without.
pub struct Report<'a> {
    pub evaluator: &'a FoundEvaluator,
    pub real: &'a RealImages,
    pub compared: Compared,
    pub seed: u64,
    pub backend: &'a str,
}

impl Report<'_> {
    pub fn print_json(&self) {
        let evaluations: Vec<Value> = self
            .compared
            .of_subjects
            .iter()
            .map(|found| self.value(found))
            .collect();
        let document = match evaluations.as_slice() {
            [one] => one.clone(),
            _ => {
                let (mean, deviation) = self.spread().unzip();
                json!({
                    "evaluations": evaluations,
                    "mean": mean.map(object),
                    "sd": deviation.map(object),
                })
            }
        };
        print_line!("{document}");
    }

    fn value(&self, found: &OfSubject) -> Value {
        let info = &self.evaluator.file.info;
        let mut value = object(found.numbers.clone());
        let floor = self.floor(found);
        let mut of_floor = object(floor.map(|floor| floor.numbers.clone()).unwrap_or_default());
        of_floor.insert("count".into(), floor.map(|floor| floor.count).into());
        let facts = json!({
            "source": found.label,
            "step": found.step,
            "count": found.count,
            "seed": self.seed,
            "backend": self.backend,
            "evaluator": {
                "name": info.name,
                "hash": self.evaluator.file.hash(),
                "accuracy": info.accuracy,
                "data": info.data.name,
            },
            "real": {
                "name": self.real.name,
                "split": self.real.split,
                "count": self.real.images.len(),
            },
            "floor": of_floor,
        });
        value.extend(facts.as_object().cloned().unwrap_or_default());
        Value::Object(value)
    }

    pub fn print_table(&self) {
        let info = &self.evaluator.file.info;
        let right = info.accuracy.map(|share| {
            let name = &info.data.name;
            format!(", which reads {:.2} % of {name}'s test images right", 100.0 * share)
        });
        print_line!(
            "evaluator  {}{}",
            self.evaluator.file.name_and_hash(),
            right.unwrap_or_default()
        );
        let images = counted(self.real.images.len(), "image");
        match self.real.split {
            Some(split) => print_line!("real       {images} of {}'s {split} split", self.real.name),
            None => print_line!("real       {images} of {}", self.real.name),
        }
        for floor in self.compared.floors.values() {
            let images = counted(floor.count, "image");
            match &self.real.training {
                Some(_) => print_line!("floor      {images} of its training split in the place of generated ones"),
                None => print_line!("floor      one half of the real images, {images}, against the other"),
            }
        }
        for (index, found) in self.compared.of_subjects.iter().enumerate() {
            print_line!("{:<10} {} of {}", index + 1, counted(found.count, "image"), found.label);
        }

        print_line!("seed       {}, computed on {}", self.seed, self.backend);

        let has = |name: &str| {
            self.compared
                .of_subjects
                .iter()
                .any(|found| get(&found.numbers, name).is_some())
        };
        let shown: Vec<(&str, &str)> = COLUMNS.into_iter().filter(|(name, _)| has(name)).collect();
        // What does not fit beside the others stands below.
        shown.chunks(MOST_COLUMNS).for_each(|shown| self.print_columns(shown));
    }

    fn print_columns(&self, shown: &[(&str, &str)]) {
        let row = |label: &str, numbers: &Numbers| {
            let cells = shown.iter().map(|(name, _)| cell(name, get(numbers, name)));
            print_line!("{label:<6}{}", cells.collect::<String>());
        };
        print_line!("");
        print_line!(
            "{:<6}{}",
            "",
            shown
                .iter()
                .map(|(name, title)| format!("{title:>0$}", width(name)))
                .collect::<String>()
        );
        for floor in self.compared.floors.values() {
            match self.compared.floors.len() {
                1 => row("floor", &floor.numbers),
                // Each beside the number of images that it is of.
                _ => row(&format!("f{}", floor.count), &floor.numbers),
            }
        }
        for (index, found) in self.compared.of_subjects.iter().enumerate() {
            row(&(index + 1).to_string(), &found.numbers);
        }
        if let Some((mean, deviation)) = self.spread() {
            row("mean", &mean);
            row("± sd", &deviation);
        }
    }

    fn floor(&self, found: &OfSubject) -> Option<&Floor> {
        self.compared.floors.get(&found.count)
    }

    /// Mean and standard deviation (over N − 1) over the subjects, where there are several of as many images, each of another run:
    /// checkpoints of one are a course, and no sample.
    fn spread(&self) -> Option<(Numbers, Numbers)> {
        let subjects = &self.compared.of_subjects;
        let is_equal = subjects.iter().all(|found| found.count == subjects[0].count);
        if subjects.len() < 2 || !is_equal || self.compared.are_of_one_run() {
            return None;
        }
        let names = subjects[0].numbers.iter().map(|&(name, _)| name);
        // A number that some of them lack, as `memorized` of runs on digits of their own, has none.
        let of_name = |name: &'static str| {
            let values: Option<Vec<f64>> = subjects.iter().map(|found| get(&found.numbers, name)).collect();
            let values = values?;
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            Some(((name, mean), (name, (squares / (values.len() as f64 - 1.0)).sqrt())))
        };
        Some(names.filter_map(of_name).unzip())
    }
}

fn get(numbers: &Numbers, name: &str) -> Option<f64> {
    numbers
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(_, value)| value)
}

fn object(numbers: Numbers) -> Map<String, Value> {
    numbers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

/// A number in its column.
fn cell(name: &str, value: Option<f64>) -> String {
    let text = match value {
        None => "-".to_owned(),
        Some(count) if name == "modes" => format!("{count:.0}"),
        Some(value) if value.abs() < 10.0 => format!("{value:.4}"),
        Some(value) => number(value),
    };
    // Rounding leaves a sign that means nothing.
    let text = if text == "-0.0000" { "0.0000" } else { &text };
    format!("{text:>0$}", width(name))
}
