//! `ganvas evaluate`

mod compare;
mod real;
mod report;
mod subjects;

use std::path::Path;

use anyhow::bail;
use ganvas_data::DatasetName;
use ganvas_evaluator::{FoundEvaluator, Metric};

use self::{compare::CompareJob, real::RealImages, report::Report, subjects::Subject};
use crate::{
    args::EvaluateArguments,
    evaluator,
    exit::{Ended, UsageError},
    quoting::quoted,
    screen,
};

pub fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<Ended> {
    let subjects = subjects::find(arguments)?;
    let chosen = arguments.evaluator.as_deref().map(evaluator::find).transpose()?;
    let name = data_set(arguments, &subjects, chosen.as_ref())?;
    let found = match (chosen, name) {
        (Some(found), _) => found,
        (None, Some(name)) => default_evaluator(name)?,
        (None, None) => bail!(UsageError(
            "no evaluator belongs to these real images: name one with `--evaluator`; `ganvas evaluator list` shows which there are"
                .to_owned()
        )),
    };
    let selected = evaluator::backend(
        arguments.backend.as_deref(),
        subjects
            .iter()
            .find_map(Subject::experiment)
            .map(|experiment| &experiment.backend),
    )?;
    let metrics = match arguments.metrics.as_slice() {
        [] => Metric::ALL.to_vec(),
        metrics => metrics.to_vec(),
    };
    let real = RealImages::load(arguments, name, &subjects)?;
    let count = arguments.count as usize;
    let total = real.to_look_at(count, &metrics) + subjects.iter().map(|subject| subject.at_most(count)).sum::<usize>();
    let progress = screen::progress(total as u64, "looking at images");
    let compared = selected.run(CompareJob {
        evaluator: &found,
        real: &real,
        subjects: &subjects,
        metrics: &metrics,
        count,
        seed: arguments.seed,
        progress: &progress,
    })?;
    drop(progress);
    let report = Report {
        evaluator: &found,
        real: &real,
        compared,
        seed: arguments.seed,
        backend: selected.kind().name(),
        is_series: arguments.all_checkpoints,
    };
    match arguments.json {
        true => report.print_json(),
        false => report.print_table(),
    }
    Ok(Ended::Done)
}

/// The data set that the real images are of, where they are of one that has a name.
fn data_set(
    arguments: &EvaluateArguments,
    subjects: &[Subject],
    evaluator: Option<&FoundEvaluator>,
) -> anyhow::Result<Option<DatasetName>> {
    if let Some(real) = &arguments.real {
        // A name, unless something of this name is here.
        let name = real.to_str().and_then(|text| text.parse().ok());
        return match (name, real.exists()) {
            (Some(name), _) => Ok(Some(name)),
            (None, true) => Ok(None),
            (None, false) => bail!(UsageError(format!(
                "--real {}: expected {}, or a file or folder of images; there is nothing of this name",
                quoted(real),
                DatasetName::ALL.map(|name| format!("`{name}`")).join(", ")
            ))),
        };
    }
    let mut names: Vec<DatasetName> = Vec::new();
    for experiment in subjects.iter().filter_map(Subject::experiment) {
        let name = experiment.data.dataset.parse()?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match (names.as_slice(), evaluator) {
        ([name], _) => Ok(Some(*name)),
        ([], Some(evaluator)) => match evaluator.file.info.data.name.parse() {
            Ok(name) => Ok(Some(name)),
            Err(_) => bail!(UsageError("name the real images with `--real`".to_owned())),
        },
        ([], None) => bail!(UsageError(
            "samples do not say what they are samples of: name the real images with `--real`, such as `--real mnist`"
                .to_owned()
        )),
        _ => bail!(UsageError(
            "the runs are of several data sets; evaluate them one set at a time, or name the real images with `--real`"
                .to_owned()
        )),
    }
}

/// The evaluator of a data set: the one that ships, or the user's own of this name.
fn default_evaluator(name: DatasetName) -> anyhow::Result<FoundEvaluator> {
    let wanted = evaluator::default_name(name);
    evaluator::find(Path::new(wanted.as_str())).map_err(|error| {
        UsageError(format!(
            "{error}; `ganvas evaluator train {wanted}` makes one for these images, and `--evaluator` takes another"
        ))
        .into()
    })
}
